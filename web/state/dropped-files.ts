// What the user has dropped or picked, as files with paths.
import type { SetFile } from 'hypertab';

/** Files of a drop, with those in dropped directories. Must be called while the event is being handled. */
export function filesOfDrop(transfer: DataTransfer): AsyncIterable<SetFile> {
  const found: (FileSystemEntry | File)[] = [];
  for (const item of transfer.items) {
    if (item.kind !== 'file') continue;
    // Files that a program has put there have no entry.
    const each = item.webkitGetAsEntry() ?? item.getAsFile();
    if (each !== null) found.push(each);
  }
  return filesOf(found);
}

/** Files of a picker; those of a picked directory have its name before theirs. */
export async function* filesOfPicker(files: Iterable<File>): AsyncIterable<SetFile> {
  for (const file of files) yield { path: file.webkitRelativePath || file.name, contents: file };
}

async function* filesOf(found: readonly (FileSystemEntry | File)[]): AsyncIterable<SetFile> {
  for (const each of found) {
    if (each instanceof File) yield { path: each.name, contents: each };
    else yield* filesBelow(each);
  }
}

async function* filesBelow(entry: FileSystemEntry): AsyncIterable<SetFile> {
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) =>
      (entry as FileSystemFileEntry).file(resolve, reject),
    );
    yield { path: entry.fullPath.replace(/^\//, ''), contents: file };
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  for (;;) {
    // A reader answers some at a time, and nothing at the end.
    const entries = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (entries.length === 0) return;
    for (const each of entries) yield* filesBelow(each);
  }
}
