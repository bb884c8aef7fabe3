//! What the table says about the machine and the state of the project.

use std::fs;
use std::num::NonZero;
use std::process::Command;
use std::thread;

use crate::options::top;

/// The machine that was measured on.
#[derive(Debug, Clone)]
pub(crate) struct Machine {
    pub(crate) processor: String,
    pub(crate) cores: usize,
    pub(crate) memory_mib: u64,
    pub(crate) kernel: String,
}

impl Machine {
    pub(crate) fn this() -> Self {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let kibibytes =
            field(&read("/proc/meminfo"), "MemTotal").and_then(|value| value.split(' ').next()?.parse().ok());
        Self {
            processor: processor(&read("/proc/cpuinfo")),
            cores: thread::available_parallelism().map_or(1, NonZero::get),
            memory_mib: kibibytes.unwrap_or(0_u64) / 1024,
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
        }
    }

    /// A short name that can be part of a file's.
    pub(crate) fn slug(&self) -> String {
        slug(&format!("{} {} cores", self.processor, self.cores))
    }
}

/// Lower-case letters, digits and single hyphens.
pub(crate) fn slug(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let slug = words.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("-");
    if slug.is_empty() { "machine".to_owned() } else { slug }
}

/// The model's name; hypervisors that hide it leave the family's and the model's number.
fn processor(cpuinfo: &str) -> String {
    let model = field(cpuinfo, "model name").filter(|name| !name.is_empty() && *name != "unknown");
    let numbers = || {
        let (vendor, family) = (field(cpuinfo, "vendor_id")?, field(cpuinfo, "cpu family")?);
        Some(format!("{vendor} family {family} model {}", field(cpuinfo, "model")?))
    };
    model.map(str::to_owned).or_else(numbers).unwrap_or_else(|| std::env::consts::ARCH.to_owned())
}

/// The value of the first `name : value` line.
fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        (found.trim() == name).then(|| value.trim())
    })
}

/// What `git describe` says, where there is one.
pub(crate) fn commit() -> String {
    let described = Command::new("git").args(["describe", "--always", "--dirty"]).current_dir(top()).output();
    match described {
        Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout).trim().to_owned(),
        _ => format!("version {}", env!("CARGO_PKG_VERSION")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_processor_has_a_name_or_numbers() {
        let named = "processor\t: 0\nmodel\t\t: 17\nmodel name\t: Xeon(R) Gold\n";
        assert_eq!(processor(named), "Xeon(R) Gold");
        let hidden = "vendor_id : AuthenticAMD\ncpu family : 25\nmodel : 17\nmodel name : unknown\n";
        assert_eq!(processor(hidden), "AuthenticAMD family 25 model 17");
        assert_eq!(processor(""), std::env::consts::ARCH);
    }

    #[test]
    fn a_slug_fits_in_a_file_name() {
        assert_eq!(slug("AMD EPYC (Milan), 2 cores"), "amd-epyc-milan-2-cores");
        assert_eq!(slug("/../"), "machine");
    }

    #[test]
    fn this_machine_has_all_there_is_to_tell() {
        let machine = Machine::this();
        assert!(machine.cores > 0 && machine.memory_mib > 0 && !machine.kernel.is_empty());
    }
}
