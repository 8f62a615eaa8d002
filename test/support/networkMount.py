"""A directory as a share of another machine shows it: FUSE over a backing directory, with a share's bad habits.

What other machines do happens in the backing directory, so that no file event tells of it here. Attributes and listings may be as old
as a cache makes them, file times are coarse, and calls fail as the control file says: JSON with
  attributeCacheMs, listingCacheMs: how long what was told once is told again (a file that is opened is looked at anew, as NFS does)
  timeStepMs: the step of file times
  faults: [{operation, error, times, path, isDone}]: the next `times` calls of the operation on a path that matches fail with `error`;
    with `isDone` the call has its effect all the same, as when only the answer of a server was lost
Arguments: the backing directory, the mount point, the control file. Prints "mounted" when it is.
"""

import errno
import json
import os
import re
import sys
import threading
import time

from fusepy import FUSE, FuseOSError, Operations


class Share(Operations):
    def __init__(self, root, control):
        self.root = root
        self.control = control
        self.stamp = None
        self.rules = {}
        self.faults = []
        self.attributes = {}
        self.listings = {}

    def init(self, path):
        threading.Thread(target=lambda: print('mounted', flush=True)).start()

    # What the control file says now.
    def read_control(self):
        try:
            status = os.stat(self.control)
        except FileNotFoundError:
            return
        stamp = (status.st_ino, status.st_mtime_ns, status.st_size)
        if stamp == self.stamp:
            return
        self.stamp = stamp
        with open(self.control, encoding='utf-8') as file:
            self.rules = json.load(file)
        self.faults = [dict(fault) for fault in self.rules.get('faults', [])]
        self.attributes.clear()
        self.listings.clear()

    # The fault that is due for this call, used up by one.
    def fault_of(self, operation, *paths):
        self.read_control()
        for fault in self.faults:
            if fault['operation'] != operation or fault['times'] <= 0:
                continue
            if any(re.search(fault['path'], path, re.S) for path in paths):
                fault['times'] -= 1
                return fault
        return None

    def run(self, operation, paths, call):
        fault = self.fault_of(operation, *paths)
        if fault is not None and not fault.get('isDone', False):
            raise FuseOSError(getattr(errno, fault['error']))
        try:
            answer = call()
        except OSError as error:
            raise FuseOSError(error.errno) from error
        if fault is not None:
            raise FuseOSError(getattr(errno, fault['error']))
        return answer

    # Names are octets, one character for each.
    def real(self, path):
        return os.fsencode(self.root) + path.encode('latin-1')

    def shown(self, status):
        step = self.rules.get('timeStepMs', 0) / 1000
        coarse = (lambda value: value - value % step) if step > 0 else (lambda value: value)
        return {
            'st_mode': status.st_mode, 'st_nlink': status.st_nlink, 'st_uid': status.st_uid, 'st_gid': status.st_gid,
            'st_size': status.st_size, 'st_ino': status.st_ino, 'st_atime': coarse(status.st_atime),
            'st_mtime': coarse(status.st_mtime), 'st_ctime': coarse(status.st_ctime),
        }

    def forget(self, *paths):
        for path in paths:
            self.attributes.pop(path, None)

    def getattr(self, path, fh=None):
        self.read_control()
        now = time.monotonic()
        at, kept = self.attributes.get(path, (0, None))
        if fh is None and kept is not None and (now - at) * 1000 < self.rules.get('attributeCacheMs', 0):
            return kept

        def look():
            return self.shown(os.fstat(fh) if fh is not None else os.lstat(self.real(path)))

        kept = self.run('getattr', [path], look)
        self.attributes[path] = (now, kept)
        return kept

    def readdir(self, path, fh):
        self.read_control()
        now = time.monotonic()
        at, kept = self.listings.get(path, (0, None))
        if kept is None or (now - at) * 1000 >= self.rules.get('listingCacheMs', 0):
            kept = self.run('readdir', [path], lambda: ['.', '..', *(name.decode('latin-1') for name in os.listdir(self.real(path)))])
            self.listings[path] = (now, kept)
        return kept

    def open(self, path, flags):
        self.forget(path)
        return self.run('open', [path], lambda: os.open(self.real(path), flags))

    def create(self, path, mode, fi=None):
        self.forget(path)
        return self.run('create', [path], lambda: os.open(self.real(path), os.O_RDWR | os.O_CREAT, mode))

    def read(self, path, size, offset, fh):
        return self.run('read', [path], lambda: os.pread(fh, size, offset))

    def write(self, path, data, offset, fh):
        self.forget(path)
        return self.run('write', [path], lambda: os.pwrite(fh, data, offset))

    def truncate(self, path, length, fh=None):
        self.forget(path)
        return self.run('truncate', [path], lambda: os.truncate(self.real(path), length))

    def fsync(self, path, datasync, fh):
        return self.run('fsync', [path], lambda: os.fsync(fh))

    def fsyncdir(self, path, datasync, fh):
        return self.run('fsyncdir', [path], lambda: 0)

    def release(self, path, fh):
        return os.close(fh)

    def rename(self, old, new):
        self.forget(old, new)
        return self.run('rename', [old, new], lambda: os.rename(self.real(old), self.real(new)))

    def link(self, target, source):
        self.forget(target, source)
        return self.run('link', [target, source], lambda: os.link(self.real(source), self.real(target)))

    def unlink(self, path):
        self.forget(path)
        return self.run('unlink', [path], lambda: os.unlink(self.real(path)))

    def mkdir(self, path, mode):
        self.forget(path)
        return self.run('mkdir', [path], lambda: os.mkdir(self.real(path), mode))

    def rmdir(self, path):
        self.forget(path)
        return self.run('rmdir', [path], lambda: os.rmdir(self.real(path)))

    def utimens(self, path, times=None):
        self.forget(path)
        return self.run('utimens', [path], lambda: os.utime(self.real(path), times))

    def chmod(self, path, mode):
        return self.run('chmod', [path], lambda: os.chmod(self.real(path), mode))


if __name__ == '__main__':
    backing, mountpoint, control_file = sys.argv[1:4]
    # Our own caches are those of the rules; the kernel's would come on top.
    FUSE(Share(backing, control_file), mountpoint, foreground=True, nothreads=True, attr_timeout=0, entry_timeout=0,
         negative_timeout=0, direct_io=True, use_ino=True, encoding='latin-1', fsname='hauspost-share')
