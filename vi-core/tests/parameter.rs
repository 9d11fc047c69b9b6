//! Parameter spaces: layout, names, and what is said of wrong ones.

use ndarray::array;
use vi_core::{Parameter, ParameterError, ParameterSpace, Support};

#[test]
fn layout_and_names() {
    let s = ParameterSpace::new([
        Parameter::scalar("mu", Support::Real),
        Parameter::new("Lambda", &[2, 2, 2], Support::PositiveDefinite),
        Parameter::vector("w", 3, Support::Simplex),
    ])
    .unwrap();
    assert_eq!(s.dim(), 12);
    assert_eq!(s.names()[1], "Lambda[1,1,1]");
    assert_eq!(s.names()[8], "Lambda[2,2,2]");
    let lambda = s.get("Lambda").unwrap();
    assert_eq!((lambda.event_size(), lambda.event_order(), lambda.n_events()), (4, 2, 2));
    assert_eq!(s.get("w").unwrap().range(), 9..12);
}

#[test]
fn wrong_spaces_are_named() {
    let twice = [Parameter::scalar("a", Support::Real), Parameter::scalar("a", Support::Real)];
    assert_eq!(ParameterSpace::new(twice).unwrap_err().to_string(), "parameter `a` is declared twice");
    let p = Parameter::new("S", &[2, 3], Support::PositiveDefinite);
    assert!(ParameterSpace::new([p]).unwrap_err().to_string().contains("shape [2, 3]"));
    let p = Parameter::scalar("p", Support::Interval { lower: 1.0, upper: 0.0 });
    assert!(ParameterSpace::new([p]).unwrap_err().to_string().contains("interval (1, 0)"));
    let p = Parameter::vector("v", 0, Support::Real);
    assert!(matches!(ParameterSpace::new([p]), Err(ParameterError::Empty { .. })));
}

#[test]
fn check_names_the_coordinate_and_its_value() {
    let s = ParameterSpace::new([
        Parameter::scalar("tau", Support::Positive),
        Parameter::vector("w", 2, Support::Simplex),
        Parameter::new("S", &[2, 2], Support::PositiveDefinite),
    ])
    .unwrap();
    assert!(s.check(&array![1.0, 0.25, 0.75, 2.0, 1.0, 1.0, 2.0]).is_ok());
    let message = |z: ndarray::Array1<f64>| s.check(&z).unwrap_err().to_string();
    assert_eq!(
        message(array![-1.0, 0.25, 0.75, 2.0, 1.0, 1.0, 2.0]),
        "tau = -1 lies outside its support (positive)"
    );
    assert!(message(array![1.0, 0.5, 0.75, 2.0, 1.0, 1.0, 2.0]).starts_with("w[2] = 0.75"));
    assert!(message(array![1.0, 0.25, 0.75, 1.0, 2.0, 2.0, 1.0]).starts_with("S[2,2] = 1"));
    assert!(message(array![f64::NAN, 0.25, 0.75, 2.0, 1.0, 1.0, 2.0]).starts_with("tau = NaN"));
    assert_eq!(message(array![1.0]), "z has length 1, expected 7");
}

#[test]
fn every_support_refuses_what_lies_outside_and_takes_what_lies_inside() {
    let outside = |support, n: usize, shape: &[usize], good: &[f64], bad: &[f64], at: usize| {
        let p = ParameterSpace::new([Parameter::new("v", shape, support)]).unwrap();
        assert_eq!(p.dim(), n);
        p.check(&ndarray::ArrayView1::from(good)).unwrap();
        let error = p.check(&ndarray::ArrayView1::from(bad)).unwrap_err();
        let ParameterError::OutsideSupport { name, value, .. } = &error else { panic!("{error}") };
        assert_eq!((name, value), (&p.names()[at], &bad[at]), "{support}");
    };
    outside(Support::Real, 1, &[], &[-1e300], &[f64::INFINITY], 0);
    outside(Support::Interval { lower: 0.0, upper: 1.0 }, 1, &[], &[0.5], &[1.0], 0);
    outside(Support::Ordered, 3, &[3], &[-1.0, 0.0, 2.0], &[-1.0, 0.0, 0.0], 2);
    outside(Support::PositiveOrdered, 2, &[2], &[0.5, 2.0], &[0.0, 2.0], 0);
    outside(Support::PositiveOrdered, 2, &[2], &[0.5, 2.0], &[0.5, 0.5], 1);
    outside(Support::Simplex, 2, &[2], &[0.5, 0.5], &[1.0, 0.0], 1);
    outside(Support::CholeskyFactor, 4, &[2, 2], &[1.0, 0.0, -3.0, 2.0], &[1.0, 0.1, -3.0, 2.0], 1);
    outside(Support::CholeskyFactor, 4, &[2, 2], &[1.0, 0.0, -3.0, 2.0], &[1.0, 0.0, -3.0, 0.0], 3);
    outside(Support::PositiveDefinite, 4, &[2, 2], &[2.0, 1.0, 1.0, 2.0], &[2.0, 1.0, 0.5, 2.0], 1);
    outside(Support::Binary, 1, &[], &[1.0], &[0.5], 0);
    outside(Support::Count, 1, &[], &[7.0], &[-1.0], 0);
    outside(Support::Categorical { n: 3 }, 2, &[2], &[0.0, 2.0], &[0.0, 3.0], 1);
}
