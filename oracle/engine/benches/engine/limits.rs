//! What a warm answer may take on the slowest adapter we support, a software driver on two cores.

use std::error::Error;

use crate::report::Model;

/// Model, request, milliseconds. The quickest run counts, because the machines that check this are shared.
const LIMITS: [(&str, &str, f64); 2] = [("digits", "1 images", 10.0), ("minilm", "32 tokens", 1000.0)];

/// Prints each figure beside its limit and the reference's; an error when one is above.
pub fn check(models: &[Model]) -> Result<(), Box<dyn Error>> {
    for (name, request, limit) in LIMITS {
        let measured = models.iter().find(|model| model.model == name && model.request == request);
        let Some(Model { best_millis, reference_millis, .. }) = measured else {
            return Err(format!("{name}, {request}: not measured").into());
        };
        println!("{name}, {request}: {best_millis:.2} ms, at most {limit} ms (reference {reference_millis:.2} ms)");
        if *best_millis > limit {
            return Err(format!("{name}, {request}: slower than its limit").into());
        }
    }
    Ok(())
}
