//! Handwritten digits: images of 8 × 8 pixels with values from 0 to 16.

use ndarray::{Array2, ArrayView2};

use crate::ModelError;

const DATA: &str = "digits";
/// Pixels of an image.
pub const N_PIXELS: usize = 64;
const LARGEST: f64 = 16.0;

/// Images of handwritten digits with the digits that they show.
///
/// The workspace has 1797 of them in `data/digits.csv`, the test set of *Optical Recognition of Handwritten Digits*
/// (E. Alpaydin and C. Kaynak, UCI Machine Learning Repository, 1998, <https://doi.org/10.24432/C50P49>, CC BY 4.0) as
/// bundled with scikit-learn.
#[derive(Clone, Debug, PartialEq)]
pub struct Digits {
    pixels: Array2<f64>,
    labels: Vec<u8>,
}

impl Digits {
    /// Reads lines of 64 pixels, row by row of the image, and the digit; the first line is a header.
    ///
    /// # Errors
    /// [`ModelError`] names the line's number among the data, from 0, and the column of what is no pixel or no digit.
    pub fn from_csv(text: &str) -> Result<Self, ModelError> {
        let (mut pixels, mut labels) = (Vec::new(), Vec::new());
        for (row, line) in text.lines().skip(1).filter(|line| !line.trim().is_empty()).enumerate() {
            let n_cells = line.split(',').count();
            if n_cells != N_PIXELS + 1 {
                let (data, expected) = ("a line of the digits", N_PIXELS + 1);
                return Err(ModelError::Length { model: DATA, data, expected, actual: n_cells });
            }
            for (column, cell) in line.split(',').enumerate() {
                let largest = if column < N_PIXELS { LARGEST } else { 9.0 };
                let value = cell.trim().parse().unwrap_or(f64::NAN);
                if !(0.0..=largest).contains(&value) || value.fract() != 0.0 {
                    let requirement =
                        if column < N_PIXELS { "an integer from 0 to 16" } else { "an integer from 0 to 9" };
                    return Err(ModelError::Datum {
                        model: DATA,
                        data: "cell",
                        row,
                        column,
                        value,
                        requirement,
                    });
                }
                if column < N_PIXELS { pixels.push(value) } else { labels.push(value as u8) }
            }
        }
        if labels.is_empty() {
            return Err(ModelError::Empty { model: DATA, data: "images" });
        }
        let pixels = ArrayView2::from_shape((labels.len(), N_PIXELS), &pixels)
            .expect("every line gave 64 pixels")
            .to_owned();
        Ok(Self { pixels, labels })
    }

    /// The pixels (N, 64), from 0 to 16: counts of ink.
    pub fn pixels(&self) -> &Array2<f64> {
        &self.pixels
    }

    /// The digits (N).
    pub fn labels(&self) -> &[u8] {
        &self.labels
    }

    /// 1 where a pixel is at least `threshold`, 0 elsewhere (N, 64); 8 is the middle.
    pub fn binarised(&self, threshold: f64) -> Array2<f64> {
        self.pixels.mapv(|x| f64::from(u8::from(x >= threshold)))
    }
}
