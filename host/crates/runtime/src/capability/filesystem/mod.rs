//! The interface `wasi:filesystem`, with an account of what is read and written.
//!
//! Denied: to leave a granted directory, by links or by `..` (wasmtime sees to that); to open what is neither file nor
//! folder (a pipe without a writer would hold a thread of the host for ever); to link or move between granted directories,
//! which belong to different accounts. Bounded: `/out`, `/tmp` and those granted directories that have `bytes`.
//!
//! wasmtime's own implementation does the work. What makes something larger asks the quota of its directory first, so each
//! descriptor remembers which directory it descends from.

mod listing;
mod quota;
mod streams;

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use wasmtime::component::{HasData, Linker, Resource};
use wasmtime_wasi::filesystem::{Descriptor, File, OpenMode, WasiFilesystemCtxView, WasiFilesystemView};
use wasmtime_wasi::p2::bindings::filesystem::preopens;
use wasmtime_wasi::p2::bindings::filesystem::types::{
    self, Advice, DescriptorFlags, DescriptorStat, DescriptorType, DirectoryEntry, DirectoryEntryStream, ErrorCode,
    Filesize, HostDescriptor, HostDirectoryEntryStream, MetadataHashValue, NewTimestamp, OpenFlags, PathFlags,
};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, FsError, FsResult};

use self::listing::Listing;
pub(crate) use self::quota::Quota;
use self::streams::{FileInput, FileOutput, Place, Target};
use crate::capability::directories::OwnDirectories;
use crate::guest::Guest;
use crate::meter::{Refusal, Usage};

/// A directory that a guest sees.
#[derive(Clone, Debug)]
pub(crate) struct Root {
    /// Where the guest sees it.
    pub(crate) guest: String,
    /// None: nothing bounds it but the disk, or it is only read.
    pub(crate) quota: Option<Arc<Quota>>,
    /// Whether it belongs to the job: files can be moved between such directories.
    pub(crate) is_own: bool,
}

/// What an attempt does with files.
pub(crate) struct FileMeter {
    roots: Vec<Root>,
    /// Absent while `describe` runs.
    own: Option<OwnDirectories>,
    usage: Arc<Usage>,
    /// Which root each open descriptor descends from, by its place in the table of resources.
    descends: HashMap<u32, usize>,
}

impl FileMeter {
    pub(crate) fn new(roots: Vec<Root>, own: Option<OwnDirectories>, usage: Arc<Usage>) -> Self {
        Self { roots, own, usage, descends: HashMap::new() }
    }

    /// Whether the guest has asked for its directories, so that there may be something in them.
    pub(crate) fn has_own(&self) -> bool {
        self.own.as_ref().is_some_and(OwnDirectories::are_opened)
    }
}

/// The quotas of granted directories on this host, one for each directory, whichever plugins have it.
#[derive(Debug, Default)]
pub(crate) struct Quotas(Mutex<HashMap<(PathBuf, u64), Arc<Quota>>>);

impl Quotas {
    pub(crate) fn of(&self, directory: &Path, bytes: u64) -> Arc<Quota> {
        let mut quotas = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let quota = quotas.entry((directory.to_path_buf(), bytes));
        Arc::clone(quota.or_insert_with(|| Arc::new(Quota::of_tree(directory, bytes, Refusal::Directory))))
    }
}

/// The interface over a guest's state.
pub(crate) struct MeteredFilesystem<'a> {
    inner: WasiFilesystemCtxView<'a>,
    meter: &'a mut FileMeter,
}

struct HasFilesystem;

impl HasData for HasFilesystem {
    type Data<'a> = MeteredFilesystem<'a>;
}

/// Puts the interface in the place of wasmtime's own.
pub(crate) fn add_to_linker(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    fn view(guest: &mut Guest) -> MeteredFilesystem<'_> {
        MeteredFilesystem { inner: guest.wasi.filesystem(), meter: &mut guest.files }
    }
    linker.allow_shadowing(true);
    types::add_to_linker::<Guest, HasFilesystem>(linker, view)?;
    preopens::add_to_linker::<Guest, HasFilesystem>(linker, view)?;
    linker.allow_shadowing(false);
    Ok(())
}

impl MeteredFilesystem<'_> {
    /// The directory that a descriptor descends from.
    fn root(&self, descriptor: &Resource<Descriptor>) -> Option<&Root> {
        self.meter.descends.get(&descriptor.rep()).and_then(|place| self.meter.roots.get(*place))
    }

    fn is_own(&self, descriptor: &Resource<Descriptor>) -> bool {
        self.root(descriptor).is_some_and(|root| root.is_own)
    }

    fn quota(&self, descriptor: &Resource<Descriptor>) -> Option<Arc<Quota>> {
        self.root(descriptor).and_then(|root| root.quota.clone())
    }

    /// The directories that belong to the job: until a guest asks for them there are none.
    fn own_directories(&mut self) -> wasmtime::Result<Vec<(Resource<Descriptor>, String)>> {
        let Some(own) = &mut self.meter.own else { return Ok(Vec::new()) };
        if !own.are_opened() {
            // Rare and short; but what an earlier attempt left may be much, and a slow disk must not hold up other guests.
            self.meter.roots.extend(tokio::task::block_in_place(|| own.open())?);
        }
        let Some(ctx) = own.opened() else { return Ok(Vec::new()) };
        preopens::Host::get_directories(&mut WasiFilesystemCtxView { ctx, table: self.inner.table })
    }

    /// A file that may be written to.
    fn target(&self, descriptor: &Resource<Descriptor>) -> FsResult<Target> {
        let file = self.file(descriptor)?;
        if file.perms.write_not_permitted() {
            return Err(ErrorCode::NotPermitted.into());
        }
        let (file, quota) = (Arc::clone(&file.file), self.quota(descriptor));
        Ok(Target { file, quota, usage: Arc::clone(&self.meter.usage) })
    }

    fn file(&self, descriptor: &Resource<Descriptor>) -> FsResult<&File> {
        match self.inner.table.get(descriptor)? {
            Descriptor::File(file) => Ok(file),
            Descriptor::Dir(_) => Err(ErrorCode::BadDescriptor.into()),
        }
    }

    /// Counts something new in the directory of a descriptor, if there is room.
    async fn reserve(&mut self, descriptor: &Resource<Descriptor>, bytes: u64, entries: u64) -> FsResult<()> {
        let Some(quota) = self.quota(descriptor) else { return Ok(()) };
        let usage = Arc::clone(&self.meter.usage);
        blocking(move || quota.reserve(bytes, entries, &usage)).await
    }

    /// Something in the directory of a descriptor became smaller, went away, or was counted and not made.
    fn shrank(&self, descriptor: &Resource<Descriptor>) {
        if let Some(quota) = self.root(descriptor).and_then(|root| root.quota.as_ref()) {
            quota.shrank();
        }
    }

    /// Does what makes a new entry.
    fn made<T>(&self, descriptor: &Resource<Descriptor>, made: FsResult<T>) -> FsResult<T> {
        if made.is_err() {
            self.shrank(descriptor);
        }
        made
    }

    fn are_of_one_root(&self, one: &Resource<Descriptor>, other: &Resource<Descriptor>) -> bool {
        self.meter.descends.get(&one.rep()) == self.meter.descends.get(&other.rep())
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> FsResult<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => Ok(done?),
        Err(panic) => Err(FsError::trap(panic)),
    }
}

/// What is opened must be one of these; a link says by itself that it is one.
fn can_be_opened(kind: DescriptorType) -> bool {
    matches!(kind, DescriptorType::RegularFile | DescriptorType::Directory | DescriptorType::SymbolicLink)
}

impl preopens::Host for MeteredFilesystem<'_> {
    fn get_directories(&mut self) -> wasmtime::Result<Vec<(Resource<Descriptor>, String)>> {
        let mut directories = self.own_directories()?;
        directories.extend(preopens::Host::get_directories(&mut self.inner)?);
        for (descriptor, guest) in &directories {
            if let Some(place) = self.meter.roots.iter().position(|root| root.guest == *guest) {
                self.meter.descends.insert(descriptor.rep(), place);
            }
        }
        Ok(directories)
    }
}

impl types::Host for MeteredFilesystem<'_> {
    fn convert_error_code(&mut self, error: FsError) -> wasmtime::Result<ErrorCode> {
        types::Host::convert_error_code(&mut self.inner, error)
    }

    fn filesystem_error_code(&mut self, error: Resource<wasmtime::Error>) -> wasmtime::Result<Option<ErrorCode>> {
        types::Host::filesystem_error_code(&mut self.inner, error)
    }
}

impl HostDescriptor for MeteredFilesystem<'_> {
    fn read_via_stream(&mut self, fd: Resource<Descriptor>, offset: Filesize) -> FsResult<Resource<DynInputStream>> {
        let stream = self.inner.read_via_stream(fd, offset)?;
        let inner = self.inner.table.delete(stream)?;
        let stream: DynInputStream = Box::new(FileInput { inner, usage: Arc::clone(&self.meter.usage) });
        Ok(self.inner.table.push(stream)?)
    }

    fn write_via_stream(&mut self, fd: Resource<Descriptor>, offset: Filesize) -> FsResult<Resource<DynOutputStream>> {
        let stream: DynOutputStream = Box::new(FileOutput::new(self.target(&fd)?, Place::At(offset)));
        Ok(self.inner.table.push(stream)?)
    }

    fn append_via_stream(&mut self, fd: Resource<Descriptor>) -> FsResult<Resource<DynOutputStream>> {
        let stream: DynOutputStream = Box::new(FileOutput::new(self.target(&fd)?, Place::End));
        Ok(self.inner.table.push(stream)?)
    }

    async fn read(
        &mut self,
        fd: Resource<Descriptor>,
        length: Filesize,
        offset: Filesize,
    ) -> FsResult<(Vec<u8>, bool)> {
        let read = self.inner.read(fd, length, offset).await?;
        self.meter.usage.read(read.0.len() as u64);
        Ok(read)
    }

    async fn write(&mut self, fd: Resource<Descriptor>, buffer: Vec<u8>, offset: Filesize) -> FsResult<Filesize> {
        let target = self.target(&fd)?;
        Ok(blocking(move || target.write(&buffer, Place::At(offset))).await? as Filesize)
    }

    async fn set_size(&mut self, fd: Resource<Descriptor>, size: Filesize) -> FsResult<()> {
        let target = self.target(&fd)?;
        blocking(move || target.set_size(size)).await
    }

    async fn open_at(
        &mut self,
        fd: Resource<Descriptor>,
        path_flags: PathFlags,
        path: String,
        open_flags: OpenFlags,
        flags: DescriptorFlags,
    ) -> FsResult<Resource<Descriptor>> {
        let (rep, place) = (fd.rep(), self.meter.descends.get(&fd.rep()).copied());
        let directory = || Resource::new_borrow(rep);
        match self.inner.stat_at(directory(), path_flags, path.clone()).await {
            Ok(found) if !can_be_opened(found.type_) => return Err(ErrorCode::NotPermitted.into()),
            Ok(_) if open_flags.contains(OpenFlags::TRUNCATE) => self.shrank(&directory()),
            Ok(_) => (),
            // Whatever is the matter with it, opening says it too.
            Err(_) if open_flags.contains(OpenFlags::CREATE) => self.reserve(&directory(), 0, 1).await?,
            Err(_) => (),
        }
        let opened = self.inner.open_at(fd, path_flags, path, open_flags, flags).await;
        let opened = self.made(&directory(), opened)?;
        if let Some(place) = place {
            self.meter.descends.insert(opened.rep(), place);
        }
        if let Some(quota) = self.quota(&opened)
            && let Descriptor::File(file) = self.inner.table.get(&opened)?
            && file.open_mode.contains(OpenMode::WRITE)
        {
            quota.opened(Arc::downgrade(&file.file));
        }
        Ok(opened)
    }

    fn drop(&mut self, fd: Resource<Descriptor>) -> wasmtime::Result<()> {
        self.meter.descends.remove(&fd.rep());
        HostDescriptor::drop(&mut self.inner, fd)
    }

    async fn create_directory_at(&mut self, fd: Resource<Descriptor>, path: String) -> FsResult<()> {
        let directory = Resource::new_borrow(fd.rep());
        self.reserve(&directory, 0, 1).await?;
        let made = self.inner.create_directory_at(fd, path).await;
        self.made(&directory, made)
    }

    async fn symlink_at(&mut self, fd: Resource<Descriptor>, old_path: String, new_path: String) -> FsResult<()> {
        let directory = Resource::new_borrow(fd.rep());
        self.reserve(&directory, old_path.len() as u64, 1).await?;
        let made = self.inner.symlink_at(fd, old_path, new_path).await;
        self.made(&directory, made)
    }

    async fn link_at(
        &mut self,
        fd: Resource<Descriptor>,
        old_path_flags: PathFlags,
        old_path: String,
        new_descriptor: Resource<Descriptor>,
        new_path: String,
    ) -> FsResult<()> {
        if !self.are_of_one_root(&fd, &new_descriptor) {
            return Err(ErrorCode::CrossDevice.into());
        }
        let (from, to) = (Resource::new_borrow(fd.rep()), Resource::new_borrow(new_descriptor.rep()));
        let found = self.inner.stat_at(from, PathFlags::empty(), old_path.clone()).await?;
        self.reserve(&to, found.size, 1).await?;
        let made = self.inner.link_at(fd, old_path_flags, old_path, new_descriptor, new_path).await;
        self.made(&to, made)
    }

    async fn rename_at(
        &mut self,
        fd: Resource<Descriptor>,
        old_path: String,
        new_descriptor: Resource<Descriptor>,
        new_path: String,
    ) -> FsResult<()> {
        let (from, to) = (Resource::new_borrow(fd.rep()), Resource::new_borrow(new_descriptor.rep()));
        if !self.are_of_one_root(&from, &to) {
            if !self.is_own(&from) || !self.is_own(&to) {
                return Err(ErrorCode::CrossDevice.into());
            }
            let old = Resource::new_borrow(fd.rep());
            let found = self.inner.stat_at(old, PathFlags::empty(), old_path.clone()).await?;
            if found.type_ == DescriptorType::Directory {
                return Err(ErrorCode::CrossDevice.into());
            }
            self.reserve(&to, found.size, 1).await?;
        }
        let renamed = self.inner.rename_at(fd, old_path, new_descriptor, new_path).await;
        // It may have taken the place of another, or have failed after it was counted.
        self.shrank(&from);
        self.shrank(&to);
        renamed
    }

    async fn unlink_file_at(&mut self, fd: Resource<Descriptor>, path: String) -> FsResult<()> {
        self.shrank(&fd);
        self.inner.unlink_file_at(fd, path).await
    }

    async fn remove_directory_at(&mut self, fd: Resource<Descriptor>, path: String) -> FsResult<()> {
        self.shrank(&fd);
        self.inner.remove_directory_at(fd, path).await
    }

    async fn read_directory(&mut self, fd: Resource<Descriptor>) -> FsResult<Resource<DirectoryEntryStream>> {
        let folder = match self.inner.table.get(&fd)? {
            Descriptor::Dir(folder) => Arc::clone(&folder.dir),
            Descriptor::File(_) => return Err(ErrorCode::NotDirectory.into()),
        };
        let listing = blocking(move || Listing::open(&folder)).await?;
        // The type that the interface names cannot be made outside wasmtime: only its number is handed out.
        Ok(Resource::new_own(self.inner.table.push(listing)?.rep()))
    }

    async fn advise(
        &mut self,
        fd: Resource<Descriptor>,
        offset: Filesize,
        length: Filesize,
        advice: Advice,
    ) -> FsResult<()> {
        self.inner.advise(fd, offset, length, advice).await
    }

    async fn sync_data(&mut self, fd: Resource<Descriptor>) -> FsResult<()> {
        self.inner.sync_data(fd).await
    }

    async fn sync(&mut self, fd: Resource<Descriptor>) -> FsResult<()> {
        self.inner.sync(fd).await
    }

    async fn get_flags(&mut self, fd: Resource<Descriptor>) -> FsResult<DescriptorFlags> {
        self.inner.get_flags(fd).await
    }

    async fn get_type(&mut self, fd: Resource<Descriptor>) -> FsResult<DescriptorType> {
        self.inner.get_type(fd).await
    }

    async fn set_times(
        &mut self,
        fd: Resource<Descriptor>,
        accessed: NewTimestamp,
        modified: NewTimestamp,
    ) -> FsResult<()> {
        self.inner.set_times(fd, accessed, modified).await
    }

    async fn set_times_at(
        &mut self,
        fd: Resource<Descriptor>,
        path_flags: PathFlags,
        path: String,
        accessed: NewTimestamp,
        modified: NewTimestamp,
    ) -> FsResult<()> {
        self.inner.set_times_at(fd, path_flags, path, accessed, modified).await
    }

    async fn stat(&mut self, fd: Resource<Descriptor>) -> FsResult<DescriptorStat> {
        self.inner.stat(fd).await
    }

    async fn stat_at(
        &mut self,
        fd: Resource<Descriptor>,
        path_flags: PathFlags,
        path: String,
    ) -> FsResult<DescriptorStat> {
        self.inner.stat_at(fd, path_flags, path).await
    }

    async fn readlink_at(&mut self, fd: Resource<Descriptor>, path: String) -> FsResult<String> {
        self.inner.readlink_at(fd, path).await
    }

    async fn is_same_object(
        &mut self,
        one: Resource<Descriptor>,
        other: Resource<Descriptor>,
    ) -> wasmtime::Result<bool> {
        self.inner.is_same_object(one, other).await
    }

    async fn metadata_hash(&mut self, fd: Resource<Descriptor>) -> FsResult<MetadataHashValue> {
        self.inner.metadata_hash(fd).await
    }

    async fn metadata_hash_at(
        &mut self,
        fd: Resource<Descriptor>,
        path_flags: PathFlags,
        path: String,
    ) -> FsResult<MetadataHashValue> {
        self.inner.metadata_hash_at(fd, path_flags, path).await
    }
}

impl HostDirectoryEntryStream for MeteredFilesystem<'_> {
    async fn read_directory_entry(
        &mut self,
        stream: Resource<DirectoryEntryStream>,
    ) -> FsResult<Option<DirectoryEntry>> {
        let own = Resource::<Listing>::new_borrow(stream.rep());
        let listing = self.inner.table.get_mut(&own)?;
        if listing.is_empty() {
            let mut away = std::mem::replace(listing, Listing::nothing());
            let fetched = move || {
                away.fetch();
                Ok(away)
            };
            let back = blocking(fetched).await?;
            *self.inner.table.get_mut(&own)? = back;
        }
        self.inner.table.get_mut(&own)?.next()
    }

    fn drop(&mut self, stream: Resource<DirectoryEntryStream>) -> wasmtime::Result<()> {
        self.inner.table.delete(Resource::<Listing>::new_own(stream.rep()))?;
        Ok(())
    }
}
