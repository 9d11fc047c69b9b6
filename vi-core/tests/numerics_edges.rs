//! Edges of the elementwise functions: special values, thresholds, tails, position in the slice.

use vi_core::numerics;

type Function = fn(&[f64], &mut [f64]);
type Inplace = fn(&mut [f64]);

const FUNCTIONS: [(&str, Function, Inplace); 5] = [
    ("exp", numerics::exp, numerics::exp_inplace),
    ("log", numerics::log, numerics::log_inplace),
    ("log1p", numerics::log1p, numerics::log1p_inplace),
    ("softplus", numerics::softplus, numerics::softplus_inplace),
    ("sigmoid", numerics::sigmoid, numerics::sigmoid_inplace),
];

fn one(function: Function, x: f64) -> f64 {
    let mut out = [f64::NAN];
    function(&[x], &mut out);
    out[0]
}

/// Equal bits, but for the payload of NaN.
fn assert_same(name: &str, x: f64, value: f64, expected: f64) {
    let same = value.to_bits() == expected.to_bits() || (value.is_nan() && expected.is_nan());
    assert!(same, "{name}({x:e}) = {value:e}, not {expected:e}");
}

const INF: f64 = f64::INFINITY;
const NAN: f64 = f64::NAN;
const TINY: f64 = 5e-324;

#[test]
fn exp_at_its_edges() {
    let cases = [
        (0.0, 1.0),
        (-0.0, 1.0),
        (TINY, 1.0),
        (INF, INF),
        (-INF, 0.0),
        (NAN, NAN),
        // The largest argument whose exponential is finite, and the next one.
        (709.782_712_893_384, 1.797_693_134_862_273_2e308),
        (709.782_712_893_384_1, INF),
        (1e300, INF),
        // The smallest argument that does not round to 0, and the next one.
        (-745.133_219_101_941_1, TINY),
        (-745.133_219_101_941_2, 0.0),
        (-1e300, 0.0),
    ];
    for (x, expected) in cases {
        let value = one(numerics::exp, x);
        if expected > 1e308 && expected < INF {
            assert!((value / expected - 1.0).abs() < 3e-16, "exp({x}) = {value:e}");
        } else {
            assert_same("exp", x, value, expected);
        }
    }
}

#[test]
fn logarithms_at_their_edges() {
    let log = [
        (1.0, 0.0),
        (0.0, -INF),
        (-0.0, -INF),
        (-1.0, NAN),
        (-TINY, NAN),
        (-INF, NAN),
        (INF, INF),
        (NAN, NAN),
    ];
    for (x, expected) in log {
        assert_same("log", x, one(numerics::log, x), expected);
    }
    for (x, expected) in [(TINY, -744.440_071_921_381_2), (f64::MAX, 709.782_712_893_384), (2.0, 2f64.ln())] {
        assert!((one(numerics::log, x) / expected - 1.0).abs() < 3e-16, "log({x:e})");
    }
    let log1p = [
        (0.0, 0.0),
        (-0.0, -0.0),
        (TINY, TINY),
        (-TINY, -TINY),
        (1e-300, 1e-300),
        (-1.0, -INF),
        (-1.0 - f64::EPSILON, NAN),
        (-INF, NAN),
        (INF, INF),
        (NAN, NAN),
    ];
    for (x, expected) in log1p {
        assert_same("log1p", x, one(numerics::log1p, x), expected);
    }
    for x in [f64::MAX, 1e300, 1e20, 9e15, -1.0 + 0.5 * f64::EPSILON, 1e-10, -1e-16, 1e-16] {
        assert!((one(numerics::log1p, x) / x.ln_1p() - 1.0).abs() < 4e-16, "log1p({x:e})");
    }
}

#[test]
fn softplus_and_sigmoid_at_their_edges() {
    let softplus =
        [(0.0, std::f64::consts::LN_2), (INF, INF), (-INF, 0.0), (NAN, NAN), (800.0, 800.0), (-746.0, 0.0)];
    for (x, expected) in softplus {
        assert_same("softplus", x, one(numerics::softplus, x), expected);
    }
    let sigmoid = [(0.0, 0.5), (-0.0, 0.5), (INF, 1.0), (-INF, 0.0), (NAN, NAN), (40.0, 1.0), (-746.0, 0.0)];
    for (x, expected) in sigmoid {
        assert_same("sigmoid", x, one(numerics::sigmoid, x), expected);
    }
    // Far below 0 both are eˣ to the last place, down to the subnormal numbers.
    for x in [-37.5, -100.0, -700.0, -720.0, -744.0] {
        let exp = one(numerics::exp, x);
        assert_same("softplus", x, one(numerics::softplus, x), exp);
        assert_same("sigmoid", x, one(numerics::sigmoid, x), exp);
        assert!(exp > 0.0);
    }
    for x in [-3.0, -0.1, 0.2, 5.0] {
        assert!((numerics::softplus_scalar(x) / one(numerics::softplus, x) - 1.0).abs() < 1e-15);
        assert!((numerics::sigmoid_scalar(x) / one(numerics::sigmoid, x) - 1.0).abs() < 1e-15);
    }
    assert!(numerics::softplus_scalar(NAN).is_nan() && numerics::sigmoid_scalar(NAN).is_nan());
}

#[test]
fn an_element_has_the_same_bits_at_every_position_offset_and_length() {
    let values = [0.3, -2.7, 17.0, -0.999, 1e-9, 3.5e5, -700.3, TINY, INF, NAN, 0.0, -0.0, -1.0];
    for (name, function, inplace) in FUNCTIONS {
        for x in values {
            let expected = one(function, x);
            for length in [1, 2, 7, 8, 31, 32, 33, 64, 95, 130] {
                for offset in 0..4 {
                    let buffer: Vec<f64> = (0..offset + length).map(|i| x + i as f64 % 3.0 - 1.0).collect();
                    for position in [0, length / 2, length - 1] {
                        let mut slice = buffer.clone();
                        slice[offset + position] = x;
                        let mut out = vec![0.0; length + 1];
                        function(&slice[offset..], &mut out[1..]);
                        inplace(&mut slice[offset..]);
                        assert_same(name, x, out[1 + position], expected);
                        assert_same(name, x, slice[offset + position], expected);
                    }
                }
            }
        }
    }
}

#[test]
fn empty_slices_are_fine_and_unequal_ones_panic() {
    for (name, function, inplace) in FUNCTIONS {
        function(&[], &mut []);
        inplace(&mut []);
        let unequal = std::panic::catch_unwind(|| function(&[1.0, 2.0], &mut [0.0]));
        assert!(unequal.is_err(), "{name}");
    }
    assert!(["x86-v4", "x86-v3", "neon", "baseline"].contains(&numerics::cpu_level()));
}
