// What the host console says of itself, in the page's languages. What docker says is docker's.

/** English; other languages have the same keys. */
const english = {
  title: 'Host console',
  intro: 'docker and hypertab commands, with containers in this tab',
  label: 'Host console: docker and hypertab commands',
  banner: 'Containers and machines of this tab. “help” tells what there is; Tab completes, ↑ repeats.',
  help: [
    'docker …               containers, in docker’s own words: docker run -it --rm busybox, docker ps, docker --help',
    'hypertab run GUEST     boot a machine',
    'hypertab ps            the machines of this tab, and the container host',
    'hypertab stop NAME     press a machine’s power button; also kill, pause, resume',
    'hypertab guest ls      the guests of this page’s server',
    'hypertab compare       the same programs as machines of their own and as containers',
    'history, clear, help',
    '',
    'Ctrl+C interrupts, Ctrl+P Ctrl+Q leaves a container that goes on, Ctrl+D ends its input.',
    'Images come from this page’s server (on it: npx hypertab image offer busybox), from a registry',
    '(docker pull HOST/NAME), or from a file (docker load). Images and volumes stay in this browser.',
  ],
  notFound: (word: string) => `${word}: there is no such command; “help” tells what there is`,
  noShell: (sign: string) =>
    `“${sign}” is a shell’s: say it in a container, docker run --rm busybox sh -c '…', or quote it`,
  openQuote: 'a quotation mark is open',
  usage: (text: string) => `Usage: ${text}`,
  noMachine: (name: string) => `there is no machine “${name}”; hypertab ps shows those that there are`,
  noGuest: (name: string) => `there is no guest “${name}” here, or it is not prepared; hypertab guest ls`,
  notOffered: (name: string) =>
    `there is no image “${name}” in this browser, and this page’s server offers none: on it, run “npx hypertab image offer ${name}”, or load a file with “docker load”`,
  noHost:
    'the container host is not prepared on this page’s server: on it, run “npx hypertab guest prepare container-host”, and try again',
  downloading: (name: string, done: string, total: string) => `${name}: ${done} of ${total}`,
  loading: (name: string) => `${name}: checking and unpacking`,
  startingHost: 'Starting the container host …',
  noStorage: 'This browser gives the page no storage: it can keep no images, and docker commands will fail.',
  noFolders: 'this browser lets a page use no folders of yours; use a volume, -v NAME:/PATH',
  noFile: 'no file was chosen',
  abandoned: 'left alone; it may go on',
  booting: (name: string) => `${name} boots in a tab of its own`,
  comparing: (program: string, side: 'vm' | 'container') =>
    `${program} as a ${side === 'vm' ? 'machine of its own' : 'container'} …`,
  interrupted: 'interrupted',
} as const;

type Widen<T> = {
  [K in keyof T]: T[K] extends (...args: infer A) => string
    ? (...args: A) => string
    : T[K] extends readonly string[]
      ? readonly string[]
      : string;
};
export type HostConsoleStrings = Widen<typeof english>;

const chinese: HostConsoleStrings = {
  title: '主机控制台',
  intro: 'docker 与 hypertab 命令，容器就在此标签页中运行',
  label: '主机控制台：docker 与 hypertab 命令',
  banner: '此标签页的容器与虚拟机。输入 “help” 查看命令；Tab 补全，↑ 重复。',
  help: [
    'docker …               容器，与 docker 的命令相同：docker run -it --rm busybox、docker ps、docker --help',
    'hypertab run GUEST     启动一台虚拟机',
    'hypertab ps            此标签页的虚拟机与容器主机',
    'hypertab stop NAME     按下虚拟机的电源键；另有 kill、pause、resume',
    'hypertab guest ls      此页面服务器提供的系统',
    'hypertab compare       同一程序作为独立虚拟机与作为容器的比较',
    'history、clear、help',
    '',
    'Ctrl+C 中断，Ctrl+P Ctrl+Q 离开继续运行的容器，Ctrl+D 结束输入。',
    '镜像来自此页面的服务器（在服务器上：npx hypertab image offer busybox）、镜像仓库',
    '（docker pull HOST/NAME）或文件（docker load）。镜像和卷保存在此浏览器中。',
  ],
  notFound: (word) => `${word}：没有这个命令；输入 “help” 查看命令`,
  noShell: (sign) => `“${sign}” 属于 shell：请在容器中使用，docker run --rm busybox sh -c '…'，或加引号`,
  openQuote: '引号没有结束',
  usage: (text) => `用法：${text}`,
  noMachine: (name) => `没有名为 “${name}” 的虚拟机；hypertab ps 可列出现有的虚拟机`,
  noGuest: (name) => `这里没有系统 “${name}”，或尚未准备；见 hypertab guest ls`,
  notOffered: (name) =>
    `此浏览器中没有镜像 “${name}”，页面的服务器也没有提供：请在服务器上运行 “npx hypertab image offer ${name}”，或用 “docker load” 载入文件`,
  noHost:
    '页面的服务器上没有准备容器主机：请在服务器上运行 “npx hypertab guest prepare container-host”，然后重试',
  downloading: (name, done, total) => `${name}：${done} / ${total}`,
  loading: (name) => `${name}：正在校验并解包`,
  startingHost: '正在启动容器主机…',
  noStorage: '此浏览器不给页面存储空间：无法保存镜像，docker 命令会失败。',
  noFolders: '此浏览器不允许页面使用你的文件夹；请使用卷，-v NAME:/PATH',
  noFile: '没有选择文件',
  abandoned: '不再等待；它可能仍在继续',
  booting: (name) => `${name} 正在自己的标签页中启动`,
  comparing: (program, side) => `${program}：作为${side === 'vm' ? '独立虚拟机' : '容器'}运行…`,
  interrupted: '已中断',
};

/** The strings of a language (a BCP 47 tag); English where there are none of it. */
export function hostConsoleStrings(language: string = document.documentElement.lang): HostConsoleStrings {
  return /^zh\b/i.test(language) ? chinese : english;
}
