//! The file beside the parts that says which input has which ordinal.
//!
//! It does not publish: the output folder does.

use std::io::{BufWriter, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use bstr::BStr;

use crate::disk;
use crate::error::Error;
use crate::input::Plan;
use crate::output::text::write_field;
use crate::result::{AtPath, Result};

/// Refuses names that are no file's beside the parts, or those of files that a job writes itself.
pub(super) fn check(name: Option<&str>) -> Result<(), Error> {
    match name {
        Some(name)
            if name.is_empty()
                || name.contains(['/', '\0'])
                || name.len() > 255
                || name.starts_with(['.', '_'])
                || name.starts_with("part-") =>
        {
            Err(Error::usage(format!("the list of inputs cannot be called {name:?}")))
        }
        _ => Ok(()),
    }
}

/// Writes `ordinal<TAB>path` for every input.
pub(super) fn write(path: &Path, plan: &Plan) -> Result {
    let file = disk::create(path).at("create the list of inputs", path)?;
    let mut file = BufWriter::new(disk::Writer(file));
    let mut line = Vec::new();
    for (ordinal, input) in plan.files.iter().enumerate() {
        line.clear();
        write_field(&ordinal, &mut line)?;
        line.push(b'\t');
        match input.user_path() {
            Some(path) => write_field(BStr::new(path.as_os_str().as_bytes()), &mut line)?,
            None => line.push(b'-'),
        }
        line.push(b'\n');
        file.write_all(&line).at("write", path)?;
    }
    Ok(file.flush().at("write", path)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_never_takes_the_name_of_a_part() {
        assert!(check(Some("documents.tsv")).is_ok());
        for name in ["", "a/b", ".hidden", "_SUCCESS", "part-r-00000"] {
            assert!(check(Some(name)).is_err(), "{name}");
        }
    }
}
