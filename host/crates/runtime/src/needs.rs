//! What a plugin wants (its `describe`, its imports) against what its grants file gives. Nothing is given by itself: what is
//! missing is told as lines to paste, and the plugin is not put in service.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Deserialize;
use toml::Value;
use windlass_model::{JsonText, TaskName};

use crate::capability::http::HttpRule;
use crate::error::LoadFault;
use crate::grants::{Grants, read_entry};

/// What is missing in a grants file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lacking {
    plugin: String,
    /// `enqueue = […]`: keys that stand above all tables.
    top: Vec<String>,
    /// What a table of the file lacks, by the line that begins it.
    within: BTreeMap<String, Vec<String>>,
    /// Whole tables.
    tables: Vec<String>,
}

impl fmt::Display for Lacking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plugin = &self.plugin;
        writeln!(
            f,
            "`{plugin}` wants more than its grants file {plugin}.toml gives. Paste into it what you agree with:"
        )?;
        f.write_str(&self.lines())
    }
}

impl Lacking {
    /// The lines. Each is TOML; the comments say where those below them go.
    pub(crate) fn lines(&self) -> String {
        let top = (!self.top.is_empty()).then(|| ("at its top, in place of the same keys".to_owned(), &self.top));
        let within = self.within.iter().map(|(header, lines)| (format!("in it, below {header}"), lines));
        let tables = (!self.tables.is_empty()).then(|| ("at its end".to_owned(), &self.tables));
        let parts = top.into_iter().chain(within).chain(tables);
        parts.map(|(place, lines)| format!("\n# {place}\n{}\n", lines.join("\n"))).collect()
    }
}

/// `wants` of a description. Fields that this version does not know are ignored.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Wants {
    enqueue: BTreeSet<TaskName>,
    /// Names with examples.
    env: BTreeMap<String, String>,
    config: BTreeMap<String, String>,
    secret: BTreeSet<String>,
    directory: Vec<Directory>,
    http: Vec<Http>,
    keyvalue: Vec<KeyValue>,
    tcp: Vec<Tcp>,
}

#[derive(Deserialize)]
struct Directory {
    guest: String,
    mode: Mode,
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum Mode {
    Read,
    Write,
}

#[derive(Deserialize)]
struct Http {
    origin: String,
    methods: Option<Vec<String>>,
    paths: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct KeyValue {
    name: String,
    /// How much it may hold at least.
    bytes: Option<u64>,
}

#[derive(Deserialize)]
struct Tcp {
    host: String,
    port: Option<u16>,
    #[serde(default)]
    ports: BTreeSet<u16>,
}

/// Compares. `imports` are the names of what the component imports.
pub(crate) fn check(
    plugin: &TaskName,
    wants: Option<&JsonText>,
    imports: &[String],
    grants: &Grants,
) -> Result<(), LoadFault> {
    let wants = match wants {
        Some(wants) => parse(wants).map_err(|message| LoadFault::Wants { message })?,
        None => Wants::default(),
    };
    let mut lacking = Lacking { plugin: plugin.to_string(), ..Lacking::default() };
    lacking.enqueue(&wants.enqueue, grants);
    lacking.values("env", &wants.env, &grants.environment.names(), grants);
    lacking.values("config", &wants.config, &grants.config.names(), grants);
    for name in wants.secret.iter().filter(|name| !grants.secrets.has(name)) {
        let variable = name.to_ascii_uppercase().replace('-', "_");
        lacking.tables.push(format!("[secret.{}]\nenv = {}", key(name), quoted(&variable)));
    }
    for wanted in &wants.directory {
        lacking.directory(wanted, grants);
    }
    for wanted in &wants.http {
        lacking.http(wanted, grants).map_err(|message| LoadFault::Wants { message })?;
    }
    for wanted in &wants.keyvalue {
        lacking.key_value(wanted, grants);
    }
    for wanted in &wants.tcp {
        lacking.tcp(wanted, grants);
    }
    lacking.imports(imports, grants);
    if (&lacking.top, &lacking.within, &lacking.tables) == (&Vec::new(), &BTreeMap::new(), &Vec::new()) {
        return Ok(());
    }
    Err(LoadFault::Needs(lacking))
}

fn parse(wants: &JsonText) -> Result<Wants, String> {
    serde_json::from_str(wants.as_str()).map_err(|error| error.to_string())
}

impl Lacking {
    fn enqueue(&mut self, wanted: &BTreeSet<TaskName>, grants: &Grants) {
        let granted = grants.enqueue.tasks();
        if !wanted.is_subset(granted) {
            let tasks: Vec<_> = granted.union(wanted).map(|task| quoted(task.as_str())).collect();
            self.top.push(format!("enqueue = [{}]", tasks.join(", ")));
        }
    }

    fn values(&mut self, section: &str, wanted: &BTreeMap<String, String>, granted: &[&str], grants: &Grants) {
        let missing = wanted.iter().filter(|(name, _)| !granted.contains(&name.as_str()));
        let lines: Vec<_> = missing.map(|(name, example)| format!("{} = {}", key(name), quoted(example))).collect();
        if lines.is_empty() {
        } else if grants.has(section) {
            self.within.insert(format!("[{section}]"), lines);
        } else {
            self.tables.push(format!("[{section}]\n{}", lines.join("\n")));
        }
    }

    fn directory(&mut self, wanted: &Directory, grants: &Grants) {
        let mode = if wanted.mode == Mode::Write { "write" } else { "read" };
        match grants.directories.iter().find(|grant| grant.is_at(&wanted.guest)) {
            Some(grant) if grant.is_writable() || wanted.mode == Mode::Read => (),
            Some(_) => {
                let header = format!("the [[directory]] with guest = {}, in place of `mode`", quoted(&wanted.guest));
                self.within.insert(header, vec!["mode = \"write\"".to_owned()]);
            }
            None => {
                // A place to start from: under the data directory, and to be made.
                let host = wanted.guest.trim_matches('/').replace('/', "-");
                let (host, guest) = (quoted(&host), quoted(&wanted.guest));
                self.tables.push(format!("[[directory]]\nhost = {host}\nguest = {guest}\nmode = \"{mode}\""));
            }
        }
    }

    fn http(&mut self, wanted: &Http, grants: &Grants) -> Result<(), String> {
        let mut table = toml::Table::new();
        table.insert("origin".to_owned(), wanted.origin.clone().into());
        let lists = [("methods", &wanted.methods), ("paths", &wanted.paths)];
        for (name, list) in lists.into_iter().filter_map(|(name, list)| Some((name, list.as_ref()?))) {
            table.insert(name.to_owned(), Value::from(list.clone()));
        }
        let rule = read_entry("http", &table, HttpRule::parse)?;
        if is_covered(&rule, grants.http.rules()) {
            return Ok(());
        }
        // The order of a person, not of the alphabet.
        let lines = ["origin", "methods", "paths"]
            .into_iter()
            .filter_map(|name| Some(format!("{name} = {}", table.get(name)?)));
        self.table("http", &lines.collect::<Vec<_>>().join("\n"), grants);
        Ok(())
    }

    fn key_value(&mut self, wanted: &KeyValue, grants: &Grants) {
        let name = quoted(&wanted.name);
        let bytes = wanted.bytes.map(|bytes| format!("bytes = {bytes}"));
        match (grants.key_value.bytes(&wanted.name), bytes) {
            (None, bytes) => {
                let lines: Vec<_> = [format!("name = {name}")].into_iter().chain(bytes).collect();
                self.table("keyvalue", &lines.join("\n"), grants);
            }
            (Some(granted), Some(bytes)) if wanted.bytes > Some(granted) => {
                let header = format!("the [[keyvalue]] with name = {name}, in place of `bytes`");
                self.within.insert(header, vec![bytes]);
            }
            _ => (),
        }
    }

    fn tcp(&mut self, wanted: &Tcp, grants: &Grants) {
        let mut ports = wanted.ports.clone();
        ports.extend(wanted.port);
        let of_host =
            grants.tcp.rules().iter().filter(|rule| rule.host.to_string() == wanted.host.to_ascii_lowercase());
        let granted: BTreeSet<u16> = of_host.flat_map(|rule| rule.ports.iter().copied()).collect();
        if !ports.is_subset(&granted) {
            let ports: Vec<_> = ports.iter().map(u16::to_string).collect();
            self.table("tcp", &format!("host = {}\nports = [{}]", quoted(&wanted.host), ports.join(", ")), grants);
        }
    }

    /// A table of a list. A list that is written as empty must go first.
    fn table(&mut self, section: &str, lines: &str, grants: &Grants) {
        let is_empty = match section {
            "http" => grants.http.rules().is_empty(),
            "keyvalue" => grants.key_value.is_empty(),
            _ => grants.tcp.rules().is_empty(),
        };
        let note = format!("# without the line {section} = []\n");
        let note = if is_empty && grants.has(section) { note } else { String::new() };
        self.tables.push(format!("{note}[[{section}]]\n{lines}"));
    }

    /// What is imported and never spoken of: the operator says at least that it gets nothing.
    fn imports(&mut self, imports: &[String], grants: &Grants) {
        let spoken = [
            (
                "wasi:http/",
                "http",
                "http = []",
                "it can send requests: name where to with [[http]], or leave it with none",
            ),
            ("wasi:config/", "config", "config = {}", "it can read config values: name some, or leave it with none"),
            (
                "wasi:keyvalue/",
                "keyvalue",
                "keyvalue = []",
                "it can keep keys and values: name a store with [[keyvalue]], or leave it with none",
            ),
            ("windlass:task/jobs", "enqueue", "enqueue = []", "it can enqueue jobs: name tasks, or leave it with none"),
        ];
        for (import, section, line, why) in spoken {
            let is_told = self.top.iter().chain(&self.tables).any(|lines| {
                lines.lines().any(|line| line == format!("[[{section}]]") || line == format!("[{section}]"))
                    || lines.starts_with(&format!("{section} = "))
            });
            if imports.iter().any(|name| name.starts_with(import)) && !grants.has(section) && !is_told {
                self.top.push(format!("{line}   # {why}"));
            }
        }
    }
}

/// Whether each method on each path is granted by some rule.
fn is_covered(wanted: &HttpRule, granted: &[HttpRule]) -> bool {
    let fits = |rule: &HttpRule, method: &String, path| {
        rule.origin.covers(&wanted.origin)
            && rule.methods.contains(method)
            && rule.paths.iter().any(|own| own.covers(path))
    };
    wanted
        .methods
        .iter()
        .all(|method| wanted.paths.iter().all(|path| granted.iter().any(|rule| fits(rule, method, path))))
}

/// JSON's escapes are TOML's too, and leave one line, where TOML's own writer would make several.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn key(name: &str) -> String {
    let is_bare = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    if is_bare { name.to_owned() } else { quoted(name) }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::grants::Surroundings;

    fn lacking(wants: &str, imports: &[&str], grants: &str) -> Option<String> {
        let around = Surroundings::usual(Path::new("/"), |_| Some("value".into()));
        let grants = Grants::parse(grants, &around).unwrap();
        let imports: Vec<_> = imports.iter().map(|import| (*import).to_owned()).collect();
        let wants = JsonText::parse(wants).unwrap();
        let checked = check(&TaskName::parse("report").unwrap(), Some(&wants), &imports, &grants);
        checked.err().map(|fault| fault.to_string())
    }

    const WANTS: &str = r#"{
        "enqueue": ["send-email"], "env": {"REGION": "north"}, "config": {"log.level": "a\nb"}, "secret": ["api-key"],
        "directory": [{"guest": "/tmp2", "mode": "write"}],
        "http": [{"origin": "https://api.example.com", "methods": ["POST"], "paths": ["/v1/*"]}],
        "tcp": [{"host": "smtp.example.com", "port": 587}],
        "keyvalue": [{"name": "default"}, {"name": "pages", "bytes": 1000}],
        "later": {"unknown": true}
    }"#;

    /// Puts the lines where their comments say.
    fn pasted(text: &str, file: &str) -> String {
        let (mut top, mut end, mut middle) = (String::new(), String::new(), file.to_owned());
        let mut place = "";
        for line in text.lines().skip(1) {
            match line {
                "# at its top, in place of the same keys" | "# at its end" => place = line,
                _ if line.starts_with("# in it, below ") => place = &line["# in it, below ".len()..],
                _ if line.starts_with("# without the line ") => {
                    middle = middle.replace(&line["# without the line ".len()..], "");
                }
                _ if place.is_empty() => (),
                _ if place == "# at its end" => end.push_str(&format!("{line}\n")),
                _ if place.starts_with("# at its top") => {
                    let key = line.split(" = ").next().unwrap();
                    middle = middle
                        .lines()
                        .filter(|old| line.is_empty() || !old.starts_with(&format!("{key} = ")))
                        .map(|old| format!("{old}\n"))
                        .collect();
                    top.push_str(&format!("{line}\n"));
                }
                _ => middle = middle.replace(place, &format!("{place}\n{line}")),
            }
        }
        format!("{top}{middle}\n{end}")
    }

    #[test]
    fn what_is_missing_is_told_as_lines_that_mend_it() {
        let imports = [
            "wasi:http/types@0.2.6",
            "wasi:config/store@0.2.0-rc.1",
            "wasi:keyvalue/store@0.2.0-draft2",
            "windlass:task/jobs@1.0.0",
            "wasi:cli/exit@0.2.6",
        ];
        let files = [
            "",
            "enqueue = ['other']\nhttp = []\n[env]\nA = 'b'\n[config]\nx = 'y'\n[[keyvalue]]\nname = 'pages'\nbytes = 1000",
            "tcp = []\nkeyvalue = []\n[[http]]\norigin = 'https://api.example.com'\nmethods = ['GET']",
        ];
        for file in files {
            let wants = WANTS.replace("/tmp2", "/usr").replace("\"write\"", "\"read\"");
            let text = lacking(&wants, &imports, file).expect("something is missing");
            let mended = pasted(&text, file);
            assert_eq!(lacking(&wants, &imports, &mended), None, "{text}\n{mended}");
        }
    }

    #[test]
    fn the_text_names_the_file_and_each_line() {
        let wants = r#"{"enqueue": ["b"], "http": [{"origin": "https://a.example", "methods": ["POST"]}]}"#;
        assert_eq!(
            lacking(wants, &["wasi:http/types@0.2.6", "wasi:config/store@0.2.0-rc.1"], "enqueue = ['a']").unwrap(),
            "`report` wants more than its grants file report.toml gives. Paste into it what you agree with:\n\n\
             # at its top, in place of the same keys\n\
             enqueue = [\"a\", \"b\"]\n\
             config = {}   # it can read config values: name some, or leave it with none\n\n\
             # at its end\n\
             [[http]]\n\
             origin = \"https://a.example\"\n\
             methods = [\"POST\"]\n"
        );
    }

    #[test]
    fn what_is_granted_more_widely_is_not_missing() {
        let file = "
            enqueue = ['send-email', 'x']
            [env]
            REGION = 'south'
            [config]
            'log.level' = 'info'
            [secret.api-key]
            env = 'KEY'
            [[directory]]
            host = 'usr'
            guest = '/tmp2'
            mode = 'write'
            [[http]]
            origin = 'https://*.example.com'
            methods = ['GET', 'POST']
            [[keyvalue]]
            name = 'default'
            [[keyvalue]]
            name = 'pages'
            bytes = 1000
            [[tcp]]
            host = 'SMTP.example.com.'
            ports = [25, 587]
        ";
        assert_eq!(lacking(WANTS, &["wasi:http/types@0.2.6"], file), None);
    }

    #[test]
    fn an_import_needs_a_word_of_the_operator_and_sockets_need_none() {
        let all = [
            "wasi:http/types@0.2.6",
            "wasi:config/store@0.2.0-rc.1",
            "wasi:keyvalue/store@0.2.0-draft",
            "windlass:task/jobs@1.0.0",
        ];
        assert_eq!(lacking("{}", &all, "http = []\nconfig = {}\nenqueue = []\nkeyvalue = []"), None);
        assert_eq!(lacking("{}", &["wasi:sockets/tcp@0.2.6", "windlass:task/job@1.0.0"], ""), None);
        for import in all {
            assert!(lacking("{}", &[import], "").is_some(), "{import}");
        }
    }

    #[test]
    fn wants_in_another_shape_are_refused() {
        let text = lacking(r#"{"http": ["https://a.example"]}"#, &[], "").unwrap();
        assert!(text.starts_with("its `describe` names what it wants in a shape that is not understood: "), "{text}");
        let text = lacking(r#"{"http": [{"origin": "a.example"}]}"#, &[], "").unwrap();
        assert!(text.contains("`http 1.origin`"), "{text}");
    }
}
