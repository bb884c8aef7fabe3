//! What one run is put through.
//!
//! It runs nothing.

use std::fmt;

/// How many map tasks a trial has at most, or about so many.
const MOST_TASKS: u64 = 2000;
/// Buffers this small are spilled all the time.
const LITTLE_MEMORY: u64 = 64 << 10;
/// With more spills than this a run would take too long.
const MOST_SPILLS: u64 = 50;

/// What the undisturbed run says of the job.
#[derive(Debug, Clone, Copy)]
pub(super) struct Facts {
    pub(super) input_bytes: u64,
    pub(super) partitions: u32,
    pub(super) other_partitions: bool,
}

impl Facts {
    /// The smallest chunk that does not make too many tasks: one byte, or one item, if the input is small.
    pub(super) fn least_chunk(&self) -> u64 {
        self.input_bytes.div_ceil(MOST_TASKS).max(1)
    }

    /// Bytes of buffers that are too few.
    pub(super) fn little_memory(&self) -> u64 {
        (self.input_bytes / MOST_SPILLS).max(LITTLE_MEMORY)
    }
}

/// Who is killed while a trial runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Kills {
    #[default]
    Nobody,
    Workers,
    /// The program itself; it is resumed.
    Program,
}

/// The conditions of one run.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Trial {
    /// The processes executor where nothing is said.
    pub(super) executor: Option<&'static str>,
    pub(super) workers: Option<u32>,
    pub(super) chunk: Option<u64>,
    /// Another number than that of the undisturbed run.
    pub(super) partitions: Option<u32>,
    pub(super) no_combine: bool,
    pub(super) double: bool,
    pub(super) memory: Option<u64>,
    pub(super) kills: Kills,
}

impl Trial {
    /// The run that all others are compared with.
    pub(super) const UNDISTURBED: Self = Self {
        executor: Some("inline"),
        workers: None,
        chunk: None,
        partitions: None,
        no_combine: false,
        double: false,
        memory: None,
        kills: Kills::Nobody,
    };

    /// The options that make a run this trial; `usual` is the number of partitions that were asked for.
    pub(super) fn options(&self, usual: Option<u32>) -> Vec<String> {
        let mut options = Vec::new();
        let mut add = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                options.extend([name.to_owned(), value]);
            }
        };
        add("--executor", self.executor.map(str::to_owned));
        add("-w", self.workers.map(|workers| workers.to_string()));
        add("-c", self.chunk.map(|chunk| chunk.to_string()));
        add("-r", self.partitions.or(usual).map(|partitions| partitions.to_string()));
        add("--torture", self.hardships());
        // Whoever is killed is charged with an attempt.
        add("--max-attempts", (self.kills != Kills::Nobody).then(|| "1000".to_owned()));
        options
    }

    fn hardships(&self) -> Option<String> {
        let mut keys = Vec::new();
        keys.extend(self.no_combine.then(|| "no-combine".to_owned()));
        keys.extend(self.double.then(|| "double".to_owned()));
        keys.extend(self.memory.map(|bytes| format!("memory={bytes},fan-in=2")));
        (!keys.is_empty()).then(|| keys.join(","))
    }
}

impl fmt::Display for Trial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words = vec![format!("the {} executor", self.executor.unwrap_or("processes"))];
        words.extend(self.workers.map(|workers| format!("{workers} workers")));
        words.extend(self.chunk.map(|chunk| format!("chunks of {chunk}")));
        words.extend(self.partitions.map(|partitions| format!("{partitions} partitions")));
        words.extend(self.no_combine.then(|| "no combiner in map".to_owned()));
        words.extend(self.double.then(|| "every attempt twice".to_owned()));
        words.extend(self.memory.map(|bytes| format!("{bytes} bytes of buffers")));
        words.extend(match self.kills {
            Kills::Nobody => None,
            Kills::Workers => Some("workers killed".to_owned()),
            Kills::Program => Some("the program killed and resumed".to_owned()),
        });
        f.write_str(&words.join(", "))
    }
}
