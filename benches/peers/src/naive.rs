//! The workloads as an ordinary program with rayon and a `HashMap` does them: read everything, fold, reduce, write.
//!
//! No trick, no foresight: this is what one writes first. Its output is also what all others are compared with.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;

use rayon::prelude::*;

use crate::data::files_below;
use crate::failure::{Context, Failure, Result};
use crate::workload::Workload;

/// Does a workload and writes one part file into the folder `out`.
pub(crate) fn run(workload: Workload, input: &Path, out: &Path) -> Result<()> {
    fs::create_dir_all(out).at("create", out)?;
    let part = out.join("part-00000");
    let mut part_file = BufWriter::new(File::create(&part).at("create", &part)?);
    match workload {
        Workload::W1 | Workload::W1Small => word_count(input, &mut part_file)?,
        Workload::W2 => sum_by_key(input, &mut part_file)?,
        Workload::W3 => inverted_index(input, out, &mut part_file)?,
        Workload::W4 => sort_records(input, &mut part_file)?,
    }
    part_file.flush().at("write", &part)
}

fn word_count(input: &Path, out: &mut impl Write) -> Result<()> {
    let texts = texts(input)?;
    let counts = texts
        .par_iter()
        .flat_map(|text| text.par_lines())
        .fold(HashMap::<String, u64>::new, |mut counts, line| {
            for word in line.split_ascii_whitespace() {
                *counts.entry(word.to_ascii_lowercase()).or_default() += 1;
            }
            counts
        })
        .reduce(HashMap::new, add);
    counts
        .iter()
        .try_for_each(|(word, count)| writeln!(out, "{word}\t{count}"))
        .at("write the output for", input)
}

/// A file's text, or that of each file in a folder.
fn texts(input: &Path) -> Result<Vec<String>> {
    let paths = if input.is_dir() {
        files_below(input)?.iter().map(|file| input.join(file)).collect()
    } else {
        vec![input.to_owned()]
    };
    paths.par_iter().map(|path| fs::read_to_string(path).at("read", path)).collect()
}

fn sum_by_key(input: &Path, out: &mut impl Write) -> Result<()> {
    let text = fs::read_to_string(input).at("read", input)?;
    let sums = text
        .par_lines()
        .map(|line| key_and_value(line).ok_or_else(|| Failure::new(format!("not a key and a value: {line}"))))
        .try_fold(HashMap::<&str, u64>::new, |mut sums, pair| {
            let (key, value) = pair?;
            *sums.entry(key).or_default() += value;
            Ok::<_, Failure>(sums)
        })
        .try_reduce(HashMap::new, |a, b| Ok(add(a, b)))?;
    sums.iter().try_for_each(|(key, sum)| writeln!(out, "{key}\t{sum}")).at("write the output for", input)
}

fn key_and_value(line: &str) -> Option<(&str, u64)> {
    let (key, value) = line.split_once(' ')?;
    Some((key, value.parse().ok()?))
}

fn add<K: Eq + std::hash::Hash>(mut all: HashMap<K, u64>, more: HashMap<K, u64>) -> HashMap<K, u64> {
    for (key, count) in more {
        *all.entry(key).or_default() += count;
    }
    all
}

type Index = HashMap<Vec<u8>, Vec<u32>>;

fn inverted_index(input: &Path, out: &Path, part: &mut impl Write) -> Result<()> {
    let files = files_below(input)?;
    let documents = out.join("documents.tsv");
    let mut list = BufWriter::new(File::create(&documents).at("create", &documents)?);
    for (number, file) in files.iter().enumerate() {
        writeln!(list, "{number}\t{}", file.display()).at("write", &documents)?;
    }
    list.flush().at("write", &documents)?;
    let index = files
        .par_iter()
        .enumerate()
        .try_fold(Index::new, |mut index, (number, file)| {
            let path = input.join(file);
            let text = fs::read(&path).at("read", &path)?;
            add_document(&mut index, number as u32, &text);
            Ok::<_, Failure>(index)
        })
        .try_reduce(Index::new, |a, b| Ok(merge(a, b)))?;
    index.into_iter().try_for_each(|(word, numbers)| write_entry(part, &word, numbers)).at("write", out)
}

fn add_document(index: &mut Index, number: u32, text: &[u8]) {
    for word in text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()) {
        let numbers = index.entry(word.to_ascii_lowercase()).or_default();
        if numbers.last() != Some(&number) {
            numbers.push(number);
        }
    }
}

fn merge(mut all: Index, more: Index) -> Index {
    for (word, numbers) in more {
        all.entry(word).or_default().extend(numbers);
    }
    all
}

fn write_entry(out: &mut impl Write, word: &[u8], mut numbers: Vec<u32>) -> std::io::Result<()> {
    numbers.sort_unstable();
    let numbers: Vec<String> = numbers.iter().map(u32::to_string).collect();
    out.write_all(word)?;
    writeln!(out, "\t{}", numbers.join(","))
}

fn sort_records(input: &Path, out: &mut impl Write) -> Result<()> {
    let text = fs::read_to_string(input).at("read", input)?;
    let mut records: Vec<&str> = text.par_lines().collect();
    records.par_sort_unstable();
    records.iter().try_for_each(|record| writeln!(out, "{record}")).at("write the output for", input)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(workload: Workload, input: &Path) -> Vec<String> {
        let out = tempfile::tempdir().expect("a folder");
        run(workload, input, out.path()).expect("the input is well-formed");
        let text = fs::read_to_string(out.path().join("part-00000")).expect("it was written");
        text.lines().map(str::to_owned).collect()
    }

    fn sorted_output(workload: Workload, content: &str) -> Vec<String> {
        let file = tempfile::NamedTempFile::new().expect("a file");
        fs::write(file.path(), content).expect("it can be written");
        let mut lines = output(workload, file.path());
        if workload != Workload::W4 {
            lines.sort();
        }
        lines
    }

    #[test]
    fn each_workload_on_a_few_lines() {
        assert_eq!(
            sorted_output(Workload::W1, "To be or\nnot to be\n"),
            ["be\t2", "not\t1", "or\t1", "to\t2"]
        );
        assert_eq!(sorted_output(Workload::W2, "b 1\na 2\nb 40\n"), ["a\t2", "b\t41"]);
        assert_eq!(sorted_output(Workload::W4, "b 1\nc\na\n"), ["a", "b 1", "c"]);
    }

    #[test]
    fn an_index_names_each_file_once() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("a"), "x Y x").expect("it can be written");
        fs::write(folder.path().join("b"), "\ny\n").expect("it can be written");
        let mut lines = output(Workload::W3, folder.path());
        lines.sort();
        assert_eq!(lines, ["x\t0", "y\t0,1"]);
    }
}
