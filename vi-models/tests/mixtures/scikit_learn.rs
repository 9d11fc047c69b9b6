//! Parameters of scikit-learn's `BayesianGaussianMixture` at equal priors and starts, after 20 sweeps: all shapes of
//! covariances, both priors of the weights. The numbers are those that `reference.py` prints; it says which updates of
//! scikit-learn 1.9.1 had to be put right first, because they are no coordinate ascent.

use ndarray::s;
use vi_core::Exec;
use vi_models::gaussian_mixture::{
    Covariance::{self, Diagonal, Full, Spherical, Tied},
    GaussianMixture, GaussianMixturePriors,
    WeightsPrior::{self, Dirichlet, StickBreaking},
};

use crate::support::{ascend, close, labels_by_first_column, old_faithful, standardised};

/// m₀ = 0, β₀ = 0.7, ν₀ = 3, B₀ = diag(0.5, 0.8) or 0.6 I, α₀ = 0.5.
struct Case {
    covariance: Covariance,
    weights: WeightsPrior,
    d: usize,
    /// Concentrations, or first parameters of the sticks.
    first: &'static [f64],
    second: &'static [f64],
    mean: &'static [f64],
    inverse_scale: &'static [f64],
    dof: &'static [f64],
}

#[rustfmt::skip]
const CASES: &[Case] = &[
    Case { covariance: Full, weights: Dirichlet, d: 2, first: &[96.6494006943844, 61.679937166421794, 115.17066213919381],
        second: &[], mean: &[-1.2694103147562685, -1.2041939908175479, 0.4513374305099993, 0.625711431642249, 0.8235446916649338, 0.6752711721644693],
        inverse_scale: &[6.469890629182095, 3.6048756870294776, 3.6048756870294776, 19.34130381148812, 10.620305912682202, 8.559402923551422, 8.559402923551422, 21.361667986757983, 9.493783964737684, 3.1759925574213312, 3.1759925574213312, 16.42242992113316], dof: &[99.1494006943844, 64.1799371664218, 117.67066213919381] },
    Case { covariance: Tied, weights: Dirichlet, d: 2, first: &[97.47604799837974, 39.44163598207881, 136.58231601954142],
        second: &[], mean: &[-1.2633548837412278, -1.1998599232986455, 0.25504081399367373, 0.4669428833639762, 0.8282450571914599, 0.7214908953480129],
        inverse_scale: &[21.192817103123176, 10.500424123516074, 10.500424123516103, 53.93412282845525], dof: &[281.0] },
    Case { covariance: Diagonal, weights: Dirichlet, d: 2, first: &[97.2767495491716, 40.6520242127743, 135.5712262380541],
        second: &[], mean: &[-1.264964903564086, -1.2014644274754178, 0.2751583811044736, 0.3237796503512614, 0.825387627047677, 0.7651679656435866],
        inverse_scale: &[6.7757535401967655, 19.509636539197132, 4.073725241492326, 9.103615415048253, 11.08530249224768, 21.303163177269486], dof: &[99.7767495491716, 43.1520242127743, 138.0712262380541] },
    Case { covariance: Diagonal, weights: Dirichlet, d: 1, first: &[95.19513727743676, 59.57840206429322, 118.72646065827014],
        second: &[], mean: &[-1.2800748049139896, 0.40432818742132665, 0.8235578377127823],
        inverse_scale: &[5.736214107487852, 11.11267450022153, 9.903223785941378], dof: &[97.69513727743676, 62.07840206429322, 121.22646065827014] },
    Case { covariance: Spherical, weights: Dirichlet, d: 2, first: &[97.2045983170662, 32.988403388585404, 143.30699829434832],
        second: &[], mean: &[-1.2643629457785601, -1.2030964778253423, 0.3317380622559232, 0.17056985582378117, 0.7814595076473191, 0.7771480785173274],
        inverse_scale: &[13.02047407206703, 5.065484523734071, 17.900648648297818], dof: &[99.7045983170662, 35.488403388585404, 145.80699829434832] },
    Case { covariance: Spherical, weights: Dirichlet, d: 1, first: &[95.22369090101019, 58.51555128608186, 119.76075781290794],
        second: &[], mean: &[-1.2798198815656714, 0.4067846890359211, 0.8189390539631779],
        inverse_scale: &[5.855111159770863, 11.215836465648684, 10.261967187579852], dof: &[97.72369090101019, 61.01555128608186, 122.26075781290794] },
    Case { covariance: Full, weights: StickBreaking, d: 2, first: &[97.19713045452214, 65.31043418218292],
        second: &[176.30286954547782, 111.9924353632949], mean: &[-1.2690750309839354, -1.2040028198830848, 0.46385676056169545, 0.6347810855392013, 0.8272768046332637, 0.672033048218776],
        inverse_scale: &[6.492912857530613, 3.6170151950936043, 3.6170151950936043, 19.354101373809602, 11.050603744309429, 8.804339507809706, 8.804339507809704, 21.993969979013578, 9.127790456459618, 3.0270137534938204, 3.0270137534938204, 15.722586794695928], dof: &[99.19713045452214, 67.31043418218292, 114.4924353632949] },
    Case { covariance: Tied, weights: StickBreaking, d: 2, first: &[97.98511129938149, 41.577411722742205],
        second: &[175.51488870061843, 134.93747697787623], mean: &[-1.2632827736497183, -1.1997894505151097, 0.26531107484070915, 0.47450723670062944, 0.8321345520915044, 0.7223394843360936],
        inverse_scale: &[21.124776254001322, 10.536494448738937, 10.536494448738937, 53.97762787596092], dof: &[280.9999999999999] },
    Case { covariance: Diagonal, weights: StickBreaking, d: 2, first: &[97.79025563634926, 43.144342275919236],
        second: &[175.7097443636508, 133.56540208773157], mean: &[-1.2648627230384588, -1.201378318283204, 0.2869048560607499, 0.33545172524607514, 0.8299570638408033, 0.7681393636040252],
        inverse_scale: &[6.783167757115145, 19.515099598280173, 4.312731776260925, 9.44846091576064, 10.76345579265508, 20.97992849414533], dof: &[99.79025563634926, 45.144342275919236, 136.06540208773157] },
    Case { covariance: Spherical, weights: StickBreaking, d: 2, first: &[97.74323017155862, 36.53540880796445],
        second: &[175.7567698284412, 140.22136102047676], mean: &[-1.2641439936203909, -1.2027330265932983, 0.3548308265807488, 0.19789007977387632, 0.7856698815605122, 0.7835528897172168],
        inverse_scale: &[13.045521562890292, 5.559515676616813, 17.41956587772624], dof: &[99.74323017155862, 38.53540880796445, 142.72136102047676] },
];

/// The scale W₀ = B₀⁻¹ and ν₀. scikit-learn adds N/K and 1/K of the scatter to a tied precision: K times its ν₀ and B₀
/// give the same expected precision.
fn priors(case: &Case) -> GaussianMixturePriors {
    let factor = if case.covariance == Tied { 3.0 } else { 1.0 };
    let b = if case.covariance == Spherical { [0.6, 0.6] } else { [0.5, 0.8] };
    let entry = |i, j| if i == j { 1.0 / (factor * b[i]) } else { 0.0 };
    GaussianMixturePriors {
        covariance: case.covariance,
        weights: case.weights,
        concentration: 0.5,
        mean: None,
        count: 0.7,
        dof: Some(3.0 * factor),
        scale: Some((0..case.d).map(|i| (0..case.d).map(|j| entry(i, j)).collect()).collect()),
    }
}

#[test]
fn parameters_are_those_of_scikit_learn() {
    assert_eq!(CASES.len(), 10);
    for case in CASES {
        let name = format!("{:?}, {:?}, D = {}", case.covariance, case.weights, case.d);
        let x = standardised(&old_faithful());
        let labels = labels_by_first_column(&x, 3);
        let x = x.slice(s![.., ..case.d]).to_owned();
        let model = GaussianMixture::new(x, 3, priors(case)).unwrap();
        let mut state = model.start_from_labels(&labels, Exec::local()).unwrap();
        let elbo = ascend(&model, &mut state, 20);
        assert!(elbo.windows(2).all(|e| e[1] >= e[0] - 1e-9), "{name}: {elbo:?}");
        let (q, found) = (&state.0, model.components(&state.0));
        let (first, second): (Vec<f64>, Vec<f64>) = match case.weights {
            Dirichlet => (q.weights().unwrap().concentration().to_vec(), Vec::new()),
            StickBreaking => q.sticks().iter().map(|[a, b]| (*a, *b)).unzip(),
        };
        close(&first, case.first, 1e-6, &name);
        close(&second, case.second, 1e-6, &name);
        close(found.mean.as_slice().unwrap(), case.mean, 1e-6, &name);
        close(found.inverse_scale.as_slice().unwrap(), case.inverse_scale, 1e-6, &name);
        close(found.dof.as_slice().unwrap(), case.dof, 1e-6, &name);
    }
}
