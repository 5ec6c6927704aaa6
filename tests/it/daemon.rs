//! A daemon for one test: the real binary in a folder of its own, on a port of its own.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;
use windlass_test_cluster::Database;

/// How long a test waits for what must come: long, because CI's machines are slow and busy; nothing waits so long when it passes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Grants of the probe: it may enqueue itself, read and write the folder `shared` of the data directory, and read one value.
const PROBE_GRANTS: &str = "enqueue = [\"probe\"]\n[env]\nGREETING = \"good morning\"\n\n[[directory]]\nhost = \"shared\"\nguest = \"/data\"\nmode = \"write\"\n";

/// A running daemon. Killed when it is dropped; then its log must hold no error that the test did not expect.
pub(crate) struct Daemon {
    child: Child,
    folder: TempDir,
    pub(crate) url: String,
    http: reqwest::Client,
    flags: Vec<String>,
    errors_expected: bool,
}

/// The folder of everything that is built.
fn target() -> PathBuf {
    // The test's own binary is target/PROFILE/deps/it-HASH.
    let own = std::env::current_exe().unwrap();
    own.ancestors().nth(3).unwrap().to_owned()
}

/// The binary under test.
pub(crate) fn binary() -> PathBuf {
    let binary = std::env::current_exe().unwrap().ancestors().nth(2).unwrap().join("windlass");
    assert!(binary.exists(), "run `cargo build -p windlass` first: there is no {}", binary.display());
    binary
}

/// A guest that was built from source.
pub(crate) fn guest(name: &str) -> PathBuf {
    let found =
        ["plugins", "guests", "guests/hostile"].map(|folder| target().join(folder).join(format!("{name}.wasm")));
    found
        .into_iter()
        .find(|path| path.exists())
        .unwrap_or_else(|| panic!("run `cargo xtask plugins` first: there is no {name}.wasm"))
}

impl Daemon {
    /// Starts a daemon with the probe as its only plugin.
    pub(crate) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// The same, with more flags.
    pub(crate) async fn start_with(flags: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("shared")).unwrap();
        fs::create_dir_all(folder.path().join("plugins")).unwrap();
        fs::write(folder.path().join("plugins/probe.toml"), PROBE_GRANTS).unwrap();
        fs::copy(guest("probe"), folder.path().join("plugins/probe.wasm")).unwrap();
        Self::start_in(folder, flags.iter().map(|flag| (*flag).to_owned()).collect()).await
    }

    /// Starts a daemon with the probe, with `hello`, and with these plugins, each with its grants file.
    pub(crate) async fn start_among(plugins: &[(&str, &str)], flags: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("plugins");
        fs::create_dir_all(&place).unwrap();
        fs::create_dir_all(folder.path().join("shared")).unwrap();
        for (name, grants) in plugins.iter().chain(&[("probe", PROBE_GRANTS), ("hello", "")]) {
            fs::write(place.join(format!("{name}.toml")), grants).unwrap();
            fs::copy(guest(name), place.join(format!("{name}.wasm"))).unwrap();
        }
        Self::start_in(folder, flags.iter().map(|flag| (*flag).to_owned()).collect()).await
    }

    /// Starts a daemon of its own data directory on a database that others may use too.
    pub(crate) async fn start_on(database: &Database, flags: &[&str]) -> Self {
        let url = database.url();
        Self::start_with(&[&["--database-url", &url], flags].concat()).await
    }

    async fn start_in(folder: TempDir, flags: Vec<String>) -> Self {
        let (child, url) = spawn(folder.path(), &flags);
        Self { child, folder, url, http: reqwest::Client::new(), flags, errors_expected: false }
    }

    /// The data directory.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The log so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.path().join("log")).unwrap_or_default()
    }

    /// From now on the log may hold errors.
    pub(crate) fn expect_errors(&mut self) {
        self.errors_expected = true;
    }

    /// Kills it as a power cut would, without a chance to tidy up.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to stop, and waits until it has. Returns whether it said that all went well.
    pub(crate) fn stop(&mut self) -> bool {
        let status = Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        assert!(status.success());
        self.child.wait().unwrap().success()
    }

    /// Starts it again in the same data directory.
    pub(crate) fn start_again(&mut self) {
        (self.child, self.url) = spawn(self.folder.path(), &self.flags);
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        answer(self.http.get(format!("{}{path}", self.url)).send().await.unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        answer(self.http.post(format!("{}{path}", self.url)).json(body).send().await.unwrap()).await
    }

    pub(crate) async fn patch(&self, path: &str, body: &Value) -> (u16, Value) {
        answer(self.request(reqwest::Method::PATCH, path).json(body).send().await.unwrap()).await
    }

    /// A request in the making, for what the short forms cannot say.
    pub(crate) fn request(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url))
    }

    /// Enqueues a job of the probe and returns its id.
    pub(crate) async fn enqueue(&self, args: Value) -> String {
        self.enqueue_job(json!({ "task": "probe", "args": args })).await
    }

    /// Enqueues a job and returns its id.
    pub(crate) async fn enqueue_job(&self, body: Value) -> String {
        let (status, job) = self.post("/api/v1/jobs", &body).await;
        assert_eq!(status, 202, "{job}");
        job["id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn job(&self, id: &str) -> Value {
        let (status, job) = self.get(&format!("/api/v1/jobs/{id}")).await;
        assert_eq!(status, 200, "{job}");
        job
    }

    /// Waits until a job is over, and returns it.
    pub(crate) async fn finished(&self, id: &str) -> Value {
        let (status, job) = self.get(&format!("/api/v1/jobs/{id}?wait={}s", PATIENCE.as_secs())).await;
        assert_eq!(status, 200, "{job}");
        assert!(!job["finished_at"].is_null(), "the job is not over: {job}\n{}", self.log());
        job
    }

    /// Runs a job of the probe to its end.
    pub(crate) async fn run(&self, args: Value) -> Value {
        let id = self.enqueue(args).await;
        self.finished(&id).await
    }

    /// Waits until a job's JSON is as wanted.
    pub(crate) async fn until(&self, id: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let path = format!("/api/v1/jobs/{id}");
        self.until_at(&path, wanted).await
    }

    /// Waits until what stands at a path is as wanted.
    pub(crate) async fn until_at(&self, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let start = Instant::now();
        loop {
            let (_, value) = self.get(path).await;
            if wanted(&value) {
                return value;
            }
            assert!(start.elapsed() < PATIENCE, "it never came: {value}\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until a path below the data directory is gone.
    pub(crate) async fn until_gone(&self, path: &str) {
        let start = Instant::now();
        while self.path().join(path).exists() {
            assert!(start.elapsed() < PATIENCE, "{path} is still there");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// The log of a job, one string for each line.
    pub(crate) async fn job_log(&self, id: &str) -> Vec<String> {
        let (status, log) = self.get(&format!("/api/v1/jobs/{id}/logs?limit=1000")).await;
        assert_eq!(status, 200, "{log}");
        log["lines"].as_array().unwrap().iter().map(|line| line["text"].as_str().unwrap().to_owned()).collect()
    }

    /// Puts a plugin in place by a rename, as a deployment should.
    pub(crate) fn deploy(&self, name: &str, bytes: &[u8]) {
        let half = self.path().join("plugins").join(format!(".{name}.half"));
        fs::write(&half, bytes).unwrap();
        fs::rename(half, self.path().join("plugins").join(format!("{name}.wasm"))).unwrap();
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if !std::thread::panicking() && !self.errors_expected {
            let log = self.log();
            let errors: Vec<_> = log.lines().filter(|line| line.contains(" ERROR ")).collect();
            assert!(errors.is_empty(), "errors that the test did not expect:\n{}", errors.join("\n"));
        }
    }
}

fn spawn(folder: &Path, flags: &[String]) -> (Child, String) {
    let log = fs::OpenOptions::new().create(true).append(true).open(folder.join("log")).unwrap();
    let mut child = Command::new(binary())
        .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(folder)
        .arg("--cache-dir")
        .arg(target().join("test-cache"))
        .args(flags)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let url = line.trim().rsplit(' ').next().unwrap_or_default().to_owned();
    let log = || fs::read_to_string(folder.join("log")).unwrap_or_default();
    assert!(url.starts_with("http://"), "the daemon did not start: {line:?}\n{}", log());
    (child, url)
}

async fn answer(response: reqwest::Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}
