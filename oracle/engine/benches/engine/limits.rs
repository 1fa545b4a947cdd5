//! What a warm answer may take on the slowest adapter we support, a software driver on two cores.

use std::error::Error;

use crate::report::Answer;

/// Model, request, milliseconds on the device, on the processor. The quickest run counts, because the machines that
/// check this are shared.
const LIMITS: [(&str, &str, f64, f64); 2] = [("digits", "1 images", 10.0, 5.0), ("minilm", "32 tokens", 350.0, 200.0)];

/// Prints each figure beside its limit; an error when one is above.
pub(crate) fn check(answers: &[Answer]) -> Result<(), Box<dyn Error>> {
    for (model, request, on_device, on_cpu) in LIMITS {
        let Some(answer) = answers.iter().find(|answer| answer.model == model && answer.request == request) else {
            return Err(format!("{model}, {request}: not measured").into());
        };
        for (name, sample, limit) in [("device", answer.device, on_device), ("cpu", Some(answer.cpu), on_cpu)] {
            let Some(sample) = sample else { continue };
            println!("{model}, {request}, {name}: {:.2} ms, at most {limit} ms", sample.best_millis);
            if sample.best_millis > limit {
                return Err(format!("{model}, {request}, {name}: slower than its limit").into());
            }
        }
    }
    Ok(())
}
