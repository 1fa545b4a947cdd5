//! The figures, as a table for people and as JSON for programs.

use serde::Serialize;

/// Everything one run measured.
#[derive(Serialize)]
pub struct Report {
    /// The adapter's name.
    pub adapter: String,
    /// Its driver.
    pub driver: String,
    /// Threads that the reference uses.
    pub threads: usize,
    /// Whether the compiler optimised everything (`release`) or only what computes (`dev`).
    pub profile: &'static str,
    /// The machine's own limits.
    pub peaks: Peaks,
    /// One operation each.
    pub kernels: Vec<Kernel>,
    /// Whole requests.
    pub models: Vec<Model>,
    /// What a node waits for before and at its first answers, in milliseconds.
    pub start: Start,
}

/// Milliseconds from nothing to the first answers of MiniLM.
#[derive(Serialize)]
pub struct Start {
    /// Opening the adapter.
    pub open: f64,
    /// The self test, which compiles every kernel.
    pub self_test: f64,
    /// Uploading the model's tensors and reading its tokenizer.
    pub load: f64,
    /// The first answer.
    pub first: f64,
    /// The first answer to a text of another length.
    pub other_length: f64,
}

/// What the device reaches when nothing else is to be done.
#[derive(Clone, Copy, Serialize)]
pub struct Peaks {
    /// Billions of additions and multiplications per second in packed dot products of registers.
    pub gops: f64,
    /// Billions of bytes per second that a copy reads and writes.
    pub gbytes: f64,
}

/// One operation at one shape.
#[derive(Serialize)]
pub struct Kernel {
    /// The pipelines' labels.
    pub labels: Vec<String>,
    /// The shape, for people.
    pub shape: String,
    /// Microseconds on the device; the median of several runs.
    pub micros: f64,
    /// Microseconds of the scalar twin.
    pub reference_micros: f64,
    /// Billions of operations per second; one multiplication and one addition are two.
    pub gops: f64,
    /// Billions of bytes per second that the operation has to touch.
    pub gbytes: f64,
}

/// One request.
#[derive(Serialize)]
pub struct Model {
    /// The model's name.
    pub model: &'static str,
    /// The request, for people.
    pub request: String,
    /// Milliseconds on the device, warm; the median.
    pub millis: f64,
    /// The quickest of the same runs.
    pub best_millis: f64,
    /// Milliseconds on the reference; the median.
    pub reference_millis: f64,
}

impl Report {
    /// Writes the table.
    pub fn print(&self) {
        println!("adapter    {} ({})", self.adapter, self.driver);
        println!("profile    {}, reference on {} threads", self.profile, self.threads);
        println!("peak       {:.1} GOP/s packed dot, {:.1} GB/s copy\n", self.peaks.gops, self.peaks.gbytes);
        println!(
            "{:<34} {:<22} {:>10} {:>10} {:>8} {:>7} {:>8} {:>7}",
            "kernel", "shape", "us", "cpu us", "GOP/s", "%peak", "GB/s", "%peak"
        );
        for kernel in &self.kernels {
            let name = kernel.labels.first().map_or("", |label| label.trim_start_matches("provena."));
            println!(
                "{:<34} {:<22} {:>10.1} {:>10.1} {:>8.2} {:>7.1} {:>8.2} {:>7.1}",
                name,
                kernel.shape,
                kernel.micros,
                kernel.reference_micros,
                kernel.gops,
                100.0 * kernel.gops / self.peaks.gops,
                kernel.gbytes,
                100.0 * kernel.gbytes / self.peaks.gbytes,
            );
        }
        println!("\n{:<10} {:<22} {:>10} {:>10} {:>10}", "model", "request", "ms", "best ms", "cpu ms");
        for model in &self.models {
            println!(
                "{:<10} {:<22} {:>10.2} {:>10.2} {:>10.2}",
                model.model, model.request, model.millis, model.best_millis, model.reference_millis
            );
        }
        let Start { open, self_test, load, first, other_length } = self.start;
        println!("\nstart      open {open:.0} ms, self test {self_test:.0} ms, load MiniLM {load:.0} ms");
        println!(
            "           first answer {first:.0} ms, first of another length {other_length:.0} ms (30 and 31 tokens)"
        );
    }
}
