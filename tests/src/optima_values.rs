//! What the best Gaussians of posteriordb's posteriors are, on the unconstrained scale, found by other programs.
//!
//! L-BFGS on an exact bound, or on one at 4096 Sobol points whose value was estimated again from 40 000 fresh draws
//! (independent code, in Python); k-hat from 40 000 draws. `higher` is by how much the log joint of the models here exceeds
//! that of posteriordb's programs, which leave half-priors unnormalised.

use std::f64::consts::LN_2;

/// The best member of a family.
#[derive(Clone, Copy, Debug)]
pub struct Best {
    /// Its ELBO in nats, that of posteriordb's program.
    pub elbo: f64,
    /// The standard error of it; 0 where the ELBO has a closed form.
    pub mcse: f64,
    /// Its k-hat.
    pub khat: f64,
    /// Its standard deviations (D).
    pub sd: &'static [f64],
}

/// The best mean-field and full-rank Gaussians of one posterior.
#[derive(Clone, Copy, Debug)]
pub struct Optimum {
    /// posteriordb's name, or the model's where it is part of the name.
    pub name: &'static str,
    /// What the log joint here adds to that of posteriordb's program.
    pub higher: f64,
    /// The best mean-field Gaussian.
    pub mean_field: Best,
    /// The best full-rank Gaussian.
    pub full_rank: Best,
}

/// All of them.
pub const OPTIMA: [Optimum; 15] = [
    Optimum {
        name: "eight_schools_centered",
        higher: LN_2,
        mean_field: Best {
            elbo: -34.09195,
            mcse: 0.007,
            khat: 1.006,
            sd: &[
                5.21439, 4.853291, 5.26358, 4.955391, 4.733644, 4.937023, 4.864366, 5.313175, 1.828615,
                0.2403233,
            ],
        },
        full_rank: Best {
            elbo: -33.28557,
            mcse: 0.00528,
            khat: 0.853,
            sd: &[
                4.81621, 4.552617, 4.820623, 4.60771, 4.478961, 4.601609, 4.597907, 4.850133, 3.270446,
                0.2571356,
            ],
        },
    },
    Optimum {
        name: "eight_schools_noncentered",
        higher: LN_2,
        mean_field: Best {
            elbo: -32.29193,
            mcse: 0.00474,
            khat: 0.516,
            sd: &[
                0.9695168, 0.9318857, 0.9744329, 0.9445697, 0.9191032, 0.9452814, 0.9359177, 0.9778436,
                3.155827, 0.7222959,
            ],
        },
        full_rank: Best {
            elbo: -32.23768,
            mcse: 0.00553,
            khat: 0.582,
            sd: &[
                0.9837926, 0.9306959, 0.9740421, 0.9424735, 0.9208978, 0.9436677, 0.947506, 0.9769403,
                3.231475, 0.7302069,
            ],
        },
    },
    Optimum {
        name: "kidscore_momhsiq",
        higher: LN_2,
        mean_field: Best {
            elbo: -1879.76442,
            mcse: 0.0,
            khat: 0.87,
            sd: &[0.8695742, 0.9809973, 0.008599748, 0.03390306],
        },
        full_rank: Best {
            elbo: -1877.04317,
            mcse: 0.0,
            khat: 0.282,
            sd: &[5.868658, 2.209346, 0.06050655, 0.0339032],
        },
    },
    Optimum {
        name: "logearn_interaction",
        higher: 0.0,
        mean_field: Best {
            elbo: -1560.33967,
            mcse: 0.0,
            khat: 0.986,
            sd: &[0.02553439, 0.0003809611, 0.03923105, 0.0005594262, 0.0204894],
        },
        full_rank: Best {
            elbo: -1553.36066,
            mcse: 0.0,
            khat: 0.171,
            sd: &[0.8438804, 0.01305196, 1.258387, 0.01864286, 0.02048939],
        },
    },
    Optimum {
        name: "kilpisjarvi",
        higher: 0.0,
        mean_field: Best {
            elbo: -108.57773,
            mcse: 0.0,
            khat: 0.928,
            sd: &[0.1420537, 3.566918e-05, 0.09053575],
        },
        full_rank: Best { elbo: -103.24356, mcse: 0.0, khat: 0.37, sd: &[29.41651, 0.007386371, 0.09069169] },
    },
    Optimum {
        name: "sblrc-blr",
        higher: LN_2,
        mean_field: Best {
            elbo: -196.676,
            mcse: 0.0,
            khat: 0.89,
            sd: &[0.0004975792, 0.0005302956, 0.0005650967, 0.0004908668, 0.0004608644, 0.07105906],
        },
        full_rank: Best {
            elbo: -195.68841,
            mcse: 0.0,
            khat: 0.496,
            sd: &[0.0009761285, 0.0009984021, 0.001069265, 0.00100549, 0.00096417, 0.07105907],
        },
    },
    Optimum {
        name: "nes",
        higher: 0.0,
        mean_field: Best {
            elbo: -964.60943,
            mcse: 0.0,
            khat: 0.989,
            sd: &[
                0.08175179, 0.01802537, 0.06930858, 0.1329417, 0.1392757, 0.20326, 0.02522647, 0.05087702,
                0.02535612, 0.03244433,
            ],
        },
        full_rank: Best {
            elbo: -957.13791,
            mcse: 0.0,
            khat: 0.352,
            sd: &[
                0.7426143, 0.06020181, 0.2896195, 0.2906897, 0.2941848, 0.3264935, 0.106086, 0.1698347,
                0.08690059, 0.03244428,
            ],
        },
    },
    Optimum {
        name: "diamonds",
        higher: 0.0,
        mean_field: Best {
            elbo: 3168.98941,
            mcse: 0.0,
            khat: 1.143,
            sd: &[
                0.003655045,
                0.008964373,
                0.00902908,
                0.00897121,
                0.004890406,
                0.003777498,
                0.004091275,
                0.003938774,
                0.005326347,
                0.005001473,
                0.004766671,
                0.004486445,
                0.004434869,
                0.004116626,
                0.006826399,
                0.007285726,
                0.005739297,
                0.004925374,
                0.004615345,
                0.004331626,
                0.004075074,
                0.001678556,
                0.001681076,
                0.002156341,
                0.001737961,
                0.01000187,
            ],
        },
        full_rank: Best {
            elbo: 3190.5948,
            mcse: 0.0,
            khat: 0.13,
            sd: &[
                0.249002,
                0.3297587,
                0.3229924,
                0.1412225,
                0.007433809,
                0.006498386,
                0.005641298,
                0.004461322,
                0.006054793,
                0.005547856,
                0.005198934,
                0.004807216,
                0.004559164,
                0.004182095,
                0.01114229,
                0.01042317,
                0.008898407,
                0.006998276,
                0.005654599,
                0.004936358,
                0.004348395,
                0.2992139,
                0.2991068,
                0.1518696,
                0.001737722,
                0.01008691,
            ],
        },
    },
    Optimum {
        name: "arK",
        higher: LN_2,
        mean_field: Best {
            elbo: 53.29166,
            mcse: 0.01429,
            khat: 0.978,
            sd: &[0.01073365, 0.02145964, 0.02127129, 0.02120705, 0.02117161, 0.0210669, 0.0507989],
        },
        full_rank: Best {
            elbo: 57.87857,
            mcse: 0.0009,
            khat: 0.541,
            sd: &[0.01073983, 0.07032096, 0.08648053, 0.09157958, 0.08609731, 0.06965935, 0.0507751],
        },
    },
    Optimum {
        name: "garch11",
        higher: 0.0,
        mean_field: Best {
            elbo: -451.90936,
            mcse: 0.00584,
            khat: 0.837,
            sd: &[0.1170688, 0.1994228, 0.4572654, 0.5625261],
        },
        full_rank: Best {
            elbo: -451.20396,
            mcse: 0.00305,
            khat: 0.671,
            sd: &[0.1216105, 0.3581604, 0.4786267, 1.006001],
        },
    },
    Optimum {
        name: "gp_regr",
        higher: 2.0 * LN_2,
        mean_field: Best {
            elbo: -28.95239,
            mcse: 0.00073,
            khat: 0.581,
            sd: &[0.1860936, 0.3143371, 0.2714358],
        },
        full_rank: Best {
            elbo: -28.95255,
            mcse: 0.00068,
            khat: 0.504,
            sd: &[0.1862535, 0.3147228, 0.2717059],
        },
    },
    Optimum {
        name: "gp_pois_regr",
        higher: LN_2,
        mean_field: Best {
            elbo: -63.24794,
            mcse: 0.02237,
            khat: 1.247,
            sd: &[
                0.01523441, 0.01405209, 0.04864665, 0.09246851, 0.1195809, 0.08567144, 0.06429786,
                0.05967589, 0.07074547, 0.1096149, 0.229078, 0.6066359, 0.9814528,
            ],
        },
        full_rank: Best {
            elbo: -49.73856,
            mcse: 0.00602,
            khat: 0.863,
            sd: &[
                0.04862312, 0.1128772, 0.1572149, 0.1830345, 0.426673, 0.5975769, 0.6961949, 0.700653,
                0.7523204, 0.7626695, 0.7952508, 0.9387566, 0.9973768,
            ],
        },
    },
    Optimum {
        name: "low_dim_gauss_mix",
        higher: 3.0 * LN_2,
        mean_field: Best {
            elbo: -2117.31277,
            mcse: 0.00317,
            khat: 0.682,
            sd: &[0.03355248, 0.009581366, 0.03006293, 0.03888129, 0.0652016],
        },
        full_rank: Best {
            elbo: -2117.07235,
            mcse: 0.00041,
            khat: 0.289,
            sd: &[0.04203763, 0.01195009, 0.03039668, 0.03933287, 0.0653189],
        },
    },
    Optimum {
        name: "hmm_example",
        higher: -LN_2,
        mean_field: Best {
            elbo: -173.53728,
            mcse: 0.00459,
            khat: 0.762,
            sd: &[0.4739913, 0.4269899, 0.03271664, 0.01903438],
        },
        full_rank: Best {
            elbo: -172.74242,
            mcse: 0.00124,
            khat: 0.361,
            sd: &[0.4739906, 0.4269914, 0.07180356, 0.04180296],
        },
    },
    Optimum {
        name: "one_comp_mm_elim_abs",
        higher: 4.0 * LN_2,
        mean_field: Best {
            elbo: -44.35396,
            mcse: 0.00425,
            khat: 0.688,
            sd: &[0.09086277, 0.9230499, 0.1346139, 0.1621123],
        },
        full_rank: Best {
            elbo: -44.15282,
            mcse: 0.00317,
            khat: 0.715,
            sd: &[0.09316353, 1.04181, 0.1708919, 0.1621629],
        },
    },
];
