// The images to start with: which packages, what is linked, how they are run. Data only.
import type { ContainerConfig } from '../types.ts';

/** How an image is made of Debian packages. */
export interface DebianImage {
  name: string;
  title: string;
  /** Its layers stand on those of the small base: BusyBox and, where `packages` are dynamic programs, the C library. */
  base: 'busybox' | 'libc' | 'none';
  /** With all that they depend on, but for what only their maintainer scripts need. */
  packages: readonly string[];
  /** Links that maintainer scripts or the alternatives system would make: path -> target. */
  links?: Readonly<Record<string, string>>;
  /** Folders, and their modes and owners where those are not 0755 and root. */
  folders?: Readonly<Record<string, { mode?: number; uid?: number; gid?: number }>>;
  files?: Readonly<Record<string, string>>;
  /** Modules of Python's library get their compiled form too, by the image's own Python in a machine. */
  compilesPython?: boolean;
  /** Users beside Debian's own: lines of /etc/passwd. */
  users?: readonly string[];
  config: ContainerConfig;
}

const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Packages that serve installing and configuring, which has happened when an image is made. */
export const NOT_AT_RUN_TIME: ReadonlySet<string> = new Set([
  'adduser',
  'debconf',
  'debconf-2.0',
  'dpkg',
  'gcc-14-base',
  'init-system-helpers',
  'install-info',
  'iproute2',
  'lsb-base',
  'perl',
  'perl:any',
  'procps',
  'sysvinit-utils',
  'tzdata',
  'ucf',
]);

export const debianImages: readonly DebianImage[] = [
  {
    name: 'busybox',
    title: 'BusyBox: shell and Unix tools in one static program',
    base: 'busybox',
    packages: [],
    config: { Env: [PATH], Cmd: ['sh'] },
  },
  {
    name: 'lua',
    title: 'Lua 5.4',
    base: 'libc',
    packages: ['lua5.4'],
    links: { 'usr/bin/lua': 'lua5.4', 'usr/bin/luac': 'luac5.4' },
    config: { Env: [PATH], Cmd: ['lua'] },
  },
  {
    name: 'micropython',
    title: 'MicroPython',
    base: 'libc',
    packages: ['micropython'],
    config: { Env: [PATH], Cmd: ['micropython'] },
  },
  {
    name: 'quickjs',
    title: 'QuickJS: JavaScript',
    base: 'libc',
    packages: ['quickjs'],
    config: { Env: [PATH], Cmd: ['qjs'] },
  },
  {
    name: 'sqlite',
    title: 'SQLite 3',
    base: 'libc',
    packages: ['sqlite3'],
    folders: { data: {} },
    config: { Env: [PATH], Cmd: ['sqlite3'], WorkingDir: '/data' },
  },
  {
    name: 'python',
    title: 'Python 3 with its standard library',
    base: 'libc',
    packages: ['python3'],
    links: { 'usr/bin/python': 'python3' },
    compilesPython: true,
    config: { Env: [PATH, 'LANG=C.UTF-8'], Cmd: ['python3'] },
  },
  {
    name: 'nginx',
    title: 'nginx: web server',
    base: 'libc',
    packages: ['nginx'],
    links: {
      'etc/nginx/sites-enabled/default': '/etc/nginx/sites-available/default',
      'var/log/nginx/access.log': '/dev/stdout',
      'var/log/nginx/error.log': '/dev/stderr',
      'var/www/html/index.html': '/usr/share/nginx/html/index.html',
    },
    folders: {
      'var/lib/nginx': {},
      'var/log/nginx': {},
      run: {},
    },
    config: {
      Env: [PATH],
      Cmd: ['nginx', '-g', 'daemon off;'],
      ExposedPorts: { '80/tcp': {} },
      StopSignal: 'SIGQUIT',
    },
  },
  {
    name: 'valkey',
    title: 'Valkey: key-value store',
    base: 'libc',
    packages: ['valkey-server', 'valkey-tools'],
    users: ['valkey:x:999:999:Valkey:/data:/usr/sbin/nologin'],
    folders: { data: { uid: 999, gid: 999 } },
    config: {
      Env: [PATH],
      Cmd: ['valkey-server', '--bind', '*', '--protected-mode', 'no'],
      ExposedPorts: { '6379/tcp': {} },
      User: 'valkey',
      Volumes: { '/data': {} },
      WorkingDir: '/data',
    },
  },
  {
    name: 'debian',
    title: 'Debian with apt',
    base: 'none',
    packages: ['apt', 'mawk'],
    config: { Env: [PATH], Cmd: ['bash'] },
  },
];
