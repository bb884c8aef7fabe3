//! Which program it is: its file's metadata, which cost nothing, and a hash of what it holds, which takes a while.
//!
//! It compares nothing.

use std::fs::{self, File};
use std::iter;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use object::{Object as _, ObjectSection as _, ReadCache, SectionFlags, elf};

use super::ProgramFile;
use crate::disk::Checksum;
use crate::input::modified;
use crate::result::{AtPath, Result};

/// The running image, wherever its file is by now.
const IMAGE: &str = "/proc/self/exe";

const BLOCK: usize = 256 << 10;

impl ProgramFile {
    /// The file of the running program.
    pub(crate) fn this() -> Result<Self> {
        let image = Path::new(IMAGE);
        let metadata = fs::metadata(image).at("examine", image)?;
        let path = fs::read_link(image).at("examine", image)?;
        Ok(Self { path, size: metadata.len(), modified: modified(&metadata) })
    }
}

/// XXH3-64 of the running program's file, without its debug information and symbols.
///
/// Those are most of a program, six sevenths of our examples, and no part of what it does.
pub(crate) fn program_hash() -> Result<u64> {
    hash_of(Path::new(IMAGE))
}

fn hash_of(program: &Path) -> Result<u64> {
    let file = File::open(program).at("open", program)?;
    let (mut hasher, mut block, mut position) = (Checksum::new(), vec![0; BLOCK], 0);
    let size = file.metadata().at("examine", program)?.len();
    for skipped in symbols(&file, size).into_iter().chain(iter::once(u64::MAX..u64::MAX)) {
        while position < skipped.start {
            let most = usize::try_from(skipped.start - position).map_or(BLOCK, |left| left.min(BLOCK));
            match file.read_at(&mut block[..most], position).at("read", program)? {
                0 => break,
                read => {
                    hasher.update(&block[..read]);
                    position += read as u64;
                }
            }
        }
        position = position.max(skipped.end);
    }
    Ok(hasher.digest())
}

/// Where a program's debug information and symbols are, in order; nothing if it has none, or a form that is not known.
fn symbols(file: &File, size: u64) -> Vec<Range<u64>> {
    let content = ReadCache::new(file);
    let Ok(program) = object::File::parse(&content) else { return Vec::new() };
    let symbols = program.sections().filter(|section| {
        let named = |name: &[u8]| name.starts_with(b".debug_") || matches!(name, b".symtab" | b".strtab");
        let loaded =
            |flags| matches!(flags, SectionFlags::Elf { sh_flags, .. } if sh_flags.contains(elf::SHF_ALLOC));
        section.name_bytes().is_ok_and(named) && !loaded(section.flags())
    });
    let mut ranges: Vec<_> = symbols
        .filter_map(|section| section.file_range())
        .map(|(start, len)| start..start.saturating_add(len))
        .filter(|range| range.end <= size)
        .collect();
    ranges.sort_by_key(|range| range.start);
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start_of(section: &str) -> u64 {
        let file = File::open(IMAGE).expect("this program");
        let content = ReadCache::new(&file);
        let program = object::File::parse(&content).expect("an object file");
        program.section_by_name(section).and_then(|section| section.file_range()).expect(section).0
    }

    #[test]
    fn what_a_program_does_is_in_its_hash_and_its_symbols_are_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("program");
        fs::copy(IMAGE, &path).expect("a copy");
        let copy = File::options().read(true).write(true).open(&path).expect("the copy");
        let flip = |at| {
            let mut byte = [0];
            copy.read_exact_at(&mut byte, at).expect("a byte");
            copy.write_all_at(&[!byte[0]], at).expect("a byte");
        };
        let with_change_at = |at| {
            flip(at);
            let hash = hash_of(&path).expect("a hash");
            flip(at);
            hash
        };
        let hash = program_hash().expect("a hash");
        for section in [".debug_line", ".debug_str", ".symtab", ".strtab"] {
            assert_eq!(with_change_at(start_of(section)), hash, "{section}");
        }
        for section in [".text", ".rodata", ".data", ".rela.dyn", ".dynsym"] {
            assert_ne!(with_change_at(start_of(section)), hash, "{section}");
        }
        let end = copy.metadata().expect("a size").len();
        copy.write_all_at(b"payload", end).expect("room");
        let with_payload = hash_of(&path).expect("a hash");
        assert_ne!(with_payload, hash);
        assert_ne!(with_change_at(end + 6), with_payload);
    }

    #[test]
    fn a_file_of_another_form_is_hashed_as_a_whole() {
        let folder = tempfile::tempdir().expect("a folder");
        let hash = |bytes: &[u8]| {
            let script = folder.path().join("script");
            fs::write(&script, bytes).expect("a file");
            hash_of(&script).expect("a hash")
        };
        let mut long = vec![b'#'; 2 * BLOCK + 1];
        let before = hash(&long);
        assert_eq!(before, {
            let mut whole = Checksum::new();
            whole.update(&long);
            whole.digest()
        });
        *long.last_mut().expect("a byte") = b'!';
        assert_ne!(hash(&long), before);
        assert_ne!(hash(b""), hash(b"\x7fELF"));
    }
}
