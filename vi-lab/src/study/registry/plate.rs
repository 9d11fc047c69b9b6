//! Models with latent variables of every datum, their parameters θ learned before and fixed.

use ndarray::{Array1, s};
use serde::{Deserialize, Serialize};
use vi_core::{Exec, PlateJoint, PlateModel, StreamKey};
use vi_families::BernoulliPlate;
use vi_models::sigmoid_belief_network::{SigmoidBeliefNetwork, SigmoidBeliefTables};
use vi_sgvi::{PlateElbo, PlateScoreFunction, PlateSettings, SgviError, Table as LocalTable, fit_plate};

use super::{ModelEntry, described};
use crate::config::{Reader, Table};
use crate::data::Dataset;
use crate::error::{ConfigError, LabError, Location};
use crate::study::Study;
use crate::study::plain::Plain;

pub(super) const SIGMOID_BELIEF_NETWORK: ModelEntry = ModelEntry {
    name: "sigmoid_belief_network",
    about: "hidden bits of every image under a sigmoid belief network whose θ was learned before, and is fixed",
    example: "[data]\nset = \"digits\"\n\n[model]\nname = \"sigmoid_belief_network\"\nn_hidden = 4\nn_images = 20\n\
              theta = { n_iterations = 20 }\n",
    data_keys: &["response", "covariates"],
    reads_data: true,
    build: sigmoid_belief_network,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Network {
    n_hidden: usize,
    /// The first so many rows of the data; all by default.
    n_images: Option<usize>,
    /// A pixel is 1 from here on.
    #[serde(default = "half")]
    threshold: f64,
    #[serde(default)]
    theta: Theta,
}

fn half() -> f64 {
    8.0
}

/// How θ is learned: by variational EM with a table of local parameters and the leave-one-out baseline.
#[derive(Clone, Copy, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
struct Theta {
    n_iterations: u64,
    n_samples: usize,
    seed: u64,
}

impl Default for Theta {
    fn default() -> Self {
        Self { n_iterations: 1000, n_samples: 16, seed: 1 }
    }
}

impl Theta {
    fn learned(self, model: &SigmoidBeliefNetwork) -> Result<Array1<f64>, SgviError> {
        let family = BernoulliPlate::for_space(model.local_parameters())?;
        let table = LocalTable::new(model.n_data(), &family);
        let elbo = PlateElbo::new(model, &family, &table)?;
        let estimator = PlateScoreFunction::leave_one_out(self.n_samples);
        let settings = PlateSettings { n_iterations: self.n_iterations, ..PlateSettings::default() };
        let key = StreamKey::from_seed(self.seed);
        Ok(fit_plate(elbo, estimator, &settings, key, Exec::local())?.model_params)
    }
}

fn sigmoid_belief_network(
    reader: &Reader<'_>,
    table: Table<'_>,
    at: Location,
    data: &Dataset,
) -> Result<Box<dyn Study>, LabError> {
    let name = SIGMOID_BELIEF_NETWORK.name;
    let Network { n_hidden, n_images, threshold, theta } = reader.rest(table, &["name"])?;
    let (labelled, _) = data.regression(name)?;
    let n_images = n_images.unwrap_or(labelled.n_points());
    if !(1..=labelled.n_points()).contains(&n_images) {
        let value = format!("{n_images} of {}", labelled.n_points());
        let requirement = "between 1 and the number of rows";
        return Err(
            ConfigError::Domain { at, key: "`n_images` of [model]".into(), value, requirement }.into()
        );
    }
    let pixels = labelled.x().slice(s![..n_images, ..]).mapv(|x| f64::from(u8::from(x >= threshold)));
    let model = super::checked(&at, SigmoidBeliefNetwork::new(pixels, n_hidden))?;
    let failed = |e: SgviError| ConfigError::Estimator {
        at: at.clone(),
        what: "`theta` of [model]".into(),
        source: Box::new(e),
    };
    let learned = theta.learned(&model).map_err(failed)?;
    // The log joint at one θ borrows model, θ and tables; all of them live as long as the program.
    let model: &'static SigmoidBeliefNetwork = Box::leak(Box::new(model));
    let learned: &'static Array1<f64> = Box::leak(Box::new(learned));
    let cache: &'static mut SigmoidBeliefTables = Box::leak(Box::default());
    let fixed = |e: vi_core::PlateError| failed(e.into());
    let joint = PlateJoint::new(model, model.at(learned, cache).map_err(fixed)?).map_err(fixed)?;
    let mut priors = described(&theta)?;
    priors["n_hidden"] = n_hidden.into();
    priors["threshold"] = threshold.into();
    Ok(Box::new(Plain { local: |m| Some(m), ..Plain::new(name, joint, n_images, priors) }))
}
