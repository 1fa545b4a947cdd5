//! What a blob is kept for, and how much room there is for that.

use serde::Serialize;

/// What a blob is kept for. Each class has its own folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// A model, which is served to whoever wants it.
    Artifact,
    /// The request of a job on the chain.
    Input,
    /// A request that a wallet wants to post a job for. It is not handed out.
    Upload,
    /// A response with which a quorum agreed.
    Answer,
    /// A response before that. Nobody may learn even that it is there.
    Sealed,
}

impl Class {
    /// All classes.
    pub const ALL: [Self; 5] = [Self::Artifact, Self::Input, Self::Upload, Self::Answer, Self::Sealed];

    /// What is handed out to anybody.
    pub(super) const SERVED: [Self; 3] = [Self::Artifact, Self::Input, Self::Answer];

    /// Whether strangers decide how much of it comes.
    pub(super) const fn is_strangers(self) -> bool {
        matches!(self, Self::Upload | Self::Input)
    }

    /// Its name, which is also that of its folder.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Artifact => "artifacts",
            Self::Input => "inputs",
            Self::Upload => "uploads",
            Self::Answer => "answers",
            Self::Sealed => "sealed",
        }
    }

    /// What its quota is called in the settings, without `_bytes`: two classes share one.
    pub(super) const fn quota_name(self) -> &'static str {
        match self {
            Self::Sealed => Self::Answer.name(),
            other => other.name(),
        }
    }

    /// The classes that share a quota with this one, in the order in which they are evicted.
    pub(super) const fn group(self) -> &'static [Self] {
        match self {
            Self::Artifact => &[Self::Artifact],
            Self::Input => &[Self::Input],
            Self::Upload => &[Self::Upload],
            Self::Answer | Self::Sealed => &[Self::Answer, Self::Sealed],
        }
    }

    /// What may be evicted for a blob of this class when the disk is short: strangers' uploads push out nothing but
    /// each other, and nothing that is fetched pushes out an answer.
    pub(super) const fn yielding(self) -> &'static [Self] {
        match self {
            Self::Upload => &[Self::Upload],
            Self::Input => &[Self::Upload, Self::Input],
            Self::Artifact => &[Self::Upload, Self::Input, Self::Artifact],
            Self::Answer | Self::Sealed => &[Self::Upload, Self::Input, Self::Answer, Self::Sealed],
        }
    }
}

impl std::fmt::Display for Class {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// Bytes for each class, and bytes of the disk that stay free whatever happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quotas {
    /// For artifacts.
    pub artifacts: u64,
    /// For inputs of jobs.
    pub inputs: u64,
    /// For strangers' uploads.
    pub uploads: u64,
    /// For answers, sealed ones included.
    pub answers: u64,
    /// What stays free on the disk.
    pub keep_free: u64,
}

impl Quotas {
    /// The bytes for a class and those that share its quota.
    #[must_use]
    pub const fn of(&self, class: Class) -> u64 {
        match class {
            Class::Artifact => self.artifacts,
            Class::Input => self.inputs,
            Class::Upload => self.uploads,
            Class::Answer | Class::Sealed => self.answers,
        }
    }
}
