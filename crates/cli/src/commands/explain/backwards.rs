//! The lines of a file, the last one first.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

/// What is read at once.
const BLOCK: u64 = 64 << 10;

/// The longest line; what is longer is passed over.
const LONGEST: usize = 1 << 20;

/// Reads a file from its end.
pub(super) struct Backwards {
    file: File,
    /// Everything before is unread.
    at: u64,
    /// Nothing before this is read.
    first: u64,
    /// What was read and not given yet.
    held: Vec<u8>,
    /// Whether the end of what is held belongs to a line that is too long.
    too_long: bool,
    done: bool,
}

impl Backwards {
    /// The lines among the last `most` octets.
    pub(super) fn open(path: &Path, most: u64) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let at = file.seek(SeekFrom::End(0))?;
        Ok(Self { file, at, first: at.saturating_sub(most), held: Vec::new(), too_long: false, done: false })
    }

    /// Whether there is nothing before what was read.
    pub(super) const fn is_whole(&self) -> bool {
        self.first == 0
    }

    /// The line before, without its end; empty lines are left out.
    pub(super) fn next_line(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            if let Some(end) = self.held.iter().rposition(|octet| *octet == b'\n') {
                let line = self.held.split_off(end + 1);
                self.held.truncate(end);
                if !std::mem::take(&mut self.too_long) && !line.is_empty() {
                    return Ok(Some(line));
                }
                continue;
            }
            if self.done {
                return Ok(None);
            }
            if self.held.len() > LONGEST {
                self.held.clear();
                self.too_long = true;
            }
            if self.at == self.first {
                self.done = true;
                let line = std::mem::take(&mut self.held);
                // What was cut off is no line.
                let cut = self.first > 0 || self.too_long || line.is_empty();
                return Ok(Some(line).filter(|_| !cut));
            }
            let size = BLOCK.min(self.at - self.first);
            self.at -= size;
            self.file.seek(SeekFrom::Start(self.at))?;
            let mut block = Vec::new();
            (&mut self.file).take(size).read_to_end(&mut block)?;
            block.append(&mut self.held);
            self.held = block;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &[u8], most: u64) -> Vec<String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        std::fs::write(&path, text).unwrap();
        let mut lines = Backwards::open(&path, most).unwrap();
        let next = || lines.next_line().unwrap().map(|line| String::from_utf8(line).unwrap());
        std::iter::from_fn(next).collect()
    }

    #[test]
    fn the_last_line_comes_first() {
        assert_eq!(lines(b"one\ntwo\n\nthree", 100), ["three", "two", "one"]);
        assert_eq!(lines(b"one\ntwo\n", 100), ["two", "one"]);
        assert_eq!(lines(b"one\ntwo\n", 5), ["two"], "what is cut off is no line");
        assert!(lines(b"", 100).is_empty() && lines(b"\n\n", 100).is_empty());
    }

    #[test]
    fn lines_may_lie_across_blocks_and_be_too_long() {
        let long = "x".repeat(70_000);
        assert_eq!(lines(format!("a\n{long}\nb\n").as_bytes(), 1 << 30), ["b", &long, "a"]);
        let longer = "x".repeat(LONGEST + 200_000);
        assert_eq!(lines(format!("a\n{longer}\nb\n").as_bytes(), 1 << 30), ["b", "a"]);
        assert_eq!(lines(format!("{longer}\nb\n").as_bytes(), 1 << 30), ["b"]);
    }
}
