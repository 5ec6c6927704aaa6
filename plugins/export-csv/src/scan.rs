//! Where an element of a JSON array ends: at a comma or the closing bracket outside of strings and of inner brackets.

/// Where in an element of an array the splitter is.
#[derive(Default)]
pub(crate) struct Scan {
    depth: u32,
    in_string: bool,
    escaped: bool,
}

impl Scan {
    /// Whether the element ends before this byte; if not, the byte belongs to it.
    pub(crate) const fn ends_before(&mut self, byte: u8) -> bool {
        if self.in_string {
            if self.escaped {
                self.escaped = false;
            } else {
                self.escaped = byte == b'\\';
                self.in_string = byte != b'"';
            }
            return false;
        }
        match byte {
            b'"' => self.in_string = true,
            b'{' | b'[' => self.depth += 1,
            b',' | b']' if self.depth == 0 => return true,
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            _ => (),
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_element_ends_outside_of_strings_and_inner_brackets() {
        for element in [r#"{"a": [1, {"b": 2}], "c": 3}"#, r#""a, \" ]}, \\""#, "-1.5e3", ""] {
            let text = format!("{element}, {{}}]");
            let mut scan = Scan::default();
            let end = text.bytes().position(|byte| scan.ends_before(byte));
            assert_eq!(end, Some(element.len()), "{element}");
        }
    }
}
