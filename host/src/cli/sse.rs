//! Server-sent events, as far as the daemon sends them: `id`, `event`, `data`, comments.

/// One event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) id: Option<String>,
    pub(super) kind: String,
    pub(super) data: String,
}

/// Takes bytes as they come and gives events as they are complete.
#[derive(Debug, Default)]
pub(super) struct Parser {
    /// The line that has not ended; bytes, because a chunk may end within a character.
    rest: Vec<u8>,
    event: Event,
}

impl Parser {
    pub(super) fn feed(&mut self, chunk: &[u8]) -> Vec<Event> {
        self.rest.extend_from_slice(chunk);
        let mut events = Vec::new();
        while let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.rest.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line);
            events.extend(self.line(line.trim_end_matches(['\n', '\r'])));
        }
        events
    }

    fn line(&mut self, line: &str) -> Option<Event> {
        if line.is_empty() {
            let event = std::mem::take(&mut self.event);
            return (!event.data.is_empty()).then_some(event);
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "id" => self.event.id = Some(value.to_owned()),
            "event" => value.clone_into(&mut self.event.kind),
            "data" => {
                if !self.event.data.is_empty() {
                    self.event.data.push('\n');
                }
                self.event.data.push_str(value);
            }
            // A comment, or a field that we do not know.
            _ => (),
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_whole_however_the_bytes_are_cut() {
        let text =
            ": hello\r\n\r\nid: 4\r\nevent: step\r\ndata: {\"a\":\r\ndata: \"ü\"}\r\n\r\nevent: end\ndata: x\n\n";
        let expected = [
            Event { id: Some("4".to_owned()), kind: "step".to_owned(), data: "{\"a\":\n\"ü\"}".to_owned() },
            Event { id: None, kind: "end".to_owned(), data: "x".to_owned() },
        ];
        for size in 1..text.len() {
            let mut parser = Parser::default();
            let events: Vec<_> = text.as_bytes().chunks(size).flat_map(|chunk| parser.feed(chunk)).collect();
            assert_eq!(events, expected, "in chunks of {size}");
        }
    }
}
