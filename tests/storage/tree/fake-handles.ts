// The File System Access interfaces over plain objects, as far as a tree uses them (WHATWG File System standard).

const error = (name: string) => Object.assign(new Error(name), { name });

type Node = FakeDirectory | FakeFile;

export class FakeFile {
  readonly kind = 'file';
  bytes = new Uint8Array();
  modified = 1_000_000;
  /** Bytes that may be written before QuotaExceededError. */
  quota = Infinity;
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }

  async getFile(): Promise<File> {
    return new File([this.bytes.slice()], this.name, { lastModified: this.modified });
  }

  async createWritable(options: { keepExistingData?: boolean } = {}) {
    let bytes = options.keepExistingData ? this.bytes.slice() : new Uint8Array();
    const put = (position: number, data: Uint8Array) => {
      if (position + data.length > this.quota) throw error('QuotaExceededError');
      if (position + data.length > bytes.length) {
        const larger = new Uint8Array(position + data.length);
        larger.set(bytes);
        bytes = larger;
      }
      bytes.set(data, position);
    };
    return {
      truncate: async (size: number) => {
        const next = new Uint8Array(size);
        next.set(bytes.subarray(0, size));
        bytes = next;
      },
      write: async (part: Blob | { position: number; data: Uint8Array }) => {
        if (part instanceof Blob) put(0, new Uint8Array(await part.arrayBuffer()));
        else put(part.position, part.data);
      },
      close: async () => {
        this.bytes = bytes;
        this.modified++;
      },
      abort: async () => {},
    };
  }
}

export class FakeDirectory {
  readonly kind = 'directory';
  readonly children = new Map<string, Node>();
  readonly name: string;

  constructor(name = '') {
    this.name = name;
  }

  getFileHandle = (name: string, options: { create?: boolean } = {}) => this.get('file', name, options);
  getDirectoryHandle = (name: string, options: { create?: boolean } = {}) =>
    this.get('directory', name, options);

  async removeEntry(name: string): Promise<void> {
    const node = this.children.get(name);
    if (node === undefined) throw error('NotFoundError');
    if (node instanceof FakeDirectory && node.children.size > 0) throw error('InvalidModificationError');
    this.children.delete(name);
  }

  async *entries(): AsyncGenerator<[string, Node]> {
    yield* this.children;
  }

  /** What the browser would hand out. */
  get asHandle(): FileSystemDirectoryHandle {
    return this as unknown as FileSystemDirectoryHandle;
  }

  private async get(kind: Node['kind'], name: string, { create }: { create?: boolean }): Promise<Node> {
    if (name === '' || name === '.' || name === '..' || name.includes('/')) throw error('TypeError');
    const known = this.children.get(name);
    if (known === undefined && !create) throw error('NotFoundError');
    if (known !== undefined && known.kind !== kind) throw error('TypeMismatchError');
    const node = known ?? (kind === 'file' ? new FakeFile(name) : new FakeDirectory(name));
    this.children.set(name, node);
    return node;
  }
}
