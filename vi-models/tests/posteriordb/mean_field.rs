//! The ELBO of the optimal mean-field Gaussian on the unconstrained scale, found by other programs.
//!
//! Means, standard deviations and ELBO of the optimum were computed for posteriordb's programs by L-BFGS on an exact
//! or a quasi-Monte-Carlo bound (independent code, in Python). A wrong constant, transformation or Jacobian here would move
//! the ELBO; a wrong sign or scale anywhere would move it by nats.

use std::f64::consts::LN_2;

use ndarray::Array1;
use vi_core::{Exec, LogJoint, Role, StreamKey, Unconstrained};
use vi_families::MeanFieldGaussian;
use vi_sgvi::evaluate_elbo;

use crate::data;

const N_SAMPLES: usize = 4_000;

/// `expected` with its standard error, and by how much the log joint here is higher than the program's.
///
/// Four standard errors of the difference: a correct model fails with probability 6e-5 if the seed is changed.
fn assert_elbo<M: LogJoint, const D: usize>(
    model: M,
    mean: [f64; D],
    sd: [f64; D],
    (expected, error): (f64, f64),
    higher: f64,
) {
    let model = Unconstrained::new(model).unwrap();
    let family = MeanFieldGaussian::new(model.parameters()).unwrap();
    let params = family.params_from_mean_sd(&Array1::from(mean.to_vec()), &Array1::from(sd.to_vec()));
    let key = StreamKey::from_seed(23).role(Role::Evaluate);
    let elbo = evaluate_elbo(&model, &family, &params, N_SAMPLES, key, Exec::local()).unwrap();
    let z = (elbo.value - higher - expected) / elbo.mcse.hypot(error);
    let name = model.parameters().names().join(", ");
    println!("{name}: {} ± {}, expected {expected}, z = {z:.2}", elbo.value - higher, elbo.mcse);
    assert!(z.abs() < 4.0, "{name}: ELBO {} ± {}, expected {expected}", elbo.value - higher, elbo.mcse);
    assert!(elbo.mcse < 0.1, "{name}: an error of {} shows nothing", elbo.mcse);
}

#[test]
fn regressions() {
    assert_elbo(
        data::kidscore(),
        [25.73150384, 5.950110196, 0.5639063989, 2.897914649],
        [0.869574225, 0.9809972893, 0.008599748074, 0.03390306392],
        (-1879.7644204617386, 0.0),
        LN_2,
    );
    assert_elbo(
        data::blr(),
        [0.9996512649, 0.9987217043, 0.9981839075, 0.9988373019, 0.998590044, 0.03897410788],
        [0.0004975792192, 0.0005302956127, 0.0005650967341, 0.0004908667802, 0.0004608643799, 0.07105906432],
        (-196.67599503748758, 0.0),
        LN_2,
    );
    assert_elbo(
        data::logearn(),
        [8.388515685, 0.01700752796, -0.0785896923, 0.00744661616, -0.1256051484],
        [0.02553438916, 0.000380961091, 0.03923104523, 0.0005594262049, 0.02048940405],
        (-1560.339669616218, 0.0),
        0.0,
    );
    assert_elbo(
        data::kilpisjarvi(),
        [-61.28213859, 0.01772634884, 0.1202153793],
        [0.1420536898, 3.566917565e-05, 0.09053574804],
        (-108.57773108966101, 0.0),
        0.0,
    );
    assert_elbo(
        data::nes(),
        [
            0.8084880523,
            0.789225152,
            -1.079103919,
            -0.4500603033,
            -0.7166252829,
            -0.4803802521,
            0.2446131218,
            -0.09404273147,
            0.2358115415,
            0.579686477,
        ],
        [
            0.08175178897,
            0.01802536618,
            0.06930858065,
            0.1329416809,
            0.1392757414,
            0.2032600145,
            0.02522646903,
            0.05087702187,
            0.02535612083,
            0.03244432883,
        ],
        (-964.609426793014, 0.0),
        0.0,
    );
    assert_elbo(
        data::autoregression(),
        [-0.0008051295451, 0.6915334253, 0.4401583266, 0.10508819, -0.03567076563, -0.301217655, -1.89555982],
        [
            0.0107336461,
            0.02145963565,
            0.0212712898,
            0.02120704976,
            0.02117161135,
            0.02106690154,
            0.05079890237,
        ],
        (53.29165961089367, 0.01428895505338996),
        LN_2,
    );
}

#[test]
fn series_processes_and_mixtures() {
    assert_elbo(
        data::garch(),
        [5.058382254, 0.338661483, 0.3349918025, 0.8364629966],
        [0.11706878, 0.1994228273, 0.4572654159, 0.5625261499],
        (-451.90936377940045, 0.005835556691707241),
        0.0,
    );
    assert_elbo(
        data::gp_regression(),
        [1.913896989, 0.8415008502, 0.5678467138],
        [0.186093595, 0.3143370528, 0.2714357981],
        (-28.952391699026286, 0.0007313441978448468),
        2.0 * LN_2,
    );
    assert_elbo(
        data::two_normals(),
        [-2.733373264, 1.72332408, 0.02746580467, 0.02298473006, 0.4959005475],
        [0.03355247993, 0.009581365948, 0.03006292524, 0.0388812943, 0.06520160384],
        (-2117.3127677270977, 0.0031717359203814162),
        3.0 * LN_2,
    );
    assert_elbo(
        data::hidden_markov(),
        [0.7287836364, -2.615584888, 1.105968492, 1.758088688],
        [0.4739913209, 0.4269898861, 0.0327166396, 0.01903438399],
        (-173.53727698934915, 0.004585069247241925),
        -LN_2,
    );
    assert_elbo(
        data::gp_poisson(),
        [
            1.689506455,
            0.7561963884,
            1.705093954,
            0.3900664726,
            -0.08645543951,
            -0.3398477631,
            1.150102204,
            1.873082855,
            1.162187081,
            -0.05041037146,
            -0.5077153227,
            -0.2624900541,
            -0.0395915638,
        ],
        [
            0.01523440752,
            0.01405208575,
            0.04864664841,
            0.09246850536,
            0.1195808934,
            0.08567144451,
            0.06429785682,
            0.05967589062,
            0.07074546502,
            0.1096148617,
            0.2290779574,
            0.6066358936,
            0.9814528452,
        ],
        (-63.247938995274986, 0.022368390659316107),
        LN_2,
    );
    assert_elbo(
        data::one_compartment(),
        [-0.2741759641, -0.3732836411, -0.1575314942, -2.057567697],
        [0.09086277033, 0.9230499493, 0.1346138703, 0.1621122653],
        (-44.35396384821564, 0.004254352955323909),
        4.0 * LN_2,
    );
}
