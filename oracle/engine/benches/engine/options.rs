//! What a run is to measure.

/// The command line. Cargo adds `--bench` of its own.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    /// One JSON object instead of tables.
    pub json: bool,
    /// Only the limits of [`crate::limits`], nothing else.
    pub limits: bool,
    /// Fewer runs, and no model above 200 million parameters.
    pub quick: bool,
    /// Only parts and models whose name contains one of these; all when empty.
    pub only: Vec<String>,
}

impl Options {
    /// Reads `--json`, `--limits`, `--quick` and any number of names.
    pub(crate) fn read() -> Result<Self, String> {
        let mut options = Self::default();
        for argument in std::env::args().skip(1) {
            match argument.as_str() {
                "--bench" => (),
                "--json" => options.json = true,
                "--limits" => options.limits = true,
                "--quick" => options.quick = true,
                name if name.starts_with('-') => {
                    return Err(format!("{name} is unknown; there are --json, --limits, --quick and names of models"));
                }
                name => options.only.push(name.to_owned()),
            }
        }
        Ok(options)
    }

    /// Whether the part or model of this name is asked for.
    pub(crate) fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| name.contains(only.as_str()))
    }

    /// How often something is measured that would be measured `samples` times in a full run.
    pub(crate) fn samples(&self, samples: usize) -> usize {
        if self.quick { samples.div_ceil(4).max(3) } else { samples }
    }
}
