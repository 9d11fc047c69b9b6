//! What a check says when it fails.

/// The message with which `f` panics.
pub(crate) fn message(f: impl FnOnce()) -> String {
    let Err(payload) = std::panic::catch_unwind(std::panic::AssertUnwindSafe(f)) else {
        panic!("a faulty implementation passed its check");
    };
    payload
        .downcast::<String>()
        .map(|text| *text)
        .or_else(|other| other.downcast::<&str>().map(|text| text.to_string()))
        .expect("a panic with a text")
}
