// What of a package a container never reads.

const UNWANTED = [
  /^usr\/share\/(?:doc|man|info|locale|lintian|bug|menu|icons|applications|pixmaps|doc-base|gdb|gcc|polkit-1)(?:\/|$)/,
  /^usr\/share\/(?:bash-completion|zsh|fish|vim|metainfo|apport|binfmts|base-files|common-licenses|debconf)(?:\/|$)/,
  /^usr\/(?:include|src|games)(?:\/|$)/,
  /^usr\/lib\/(?:systemd|tmpfiles\.d|sysusers\.d|modules-load\.d|pkgconfig|udev|valgrind|debug)(?:\/|$)/,
  /^usr\/lib\/riscv64-linux-gnu\/(?:gconv|pkgconfig|audit)(?:\/|$)/,
  /^etc\/(?:init\.d|cron\.\w+|logrotate\.d|systemd|apparmor\.d|ufw|bash_completion\.d|insserv\.conf\.d)(?:\/|$)/,
  /^usr\/lib\/python3\.\d+\/(?:test|idlelib|turtledemo|pydoc_data|lib2to3|ensurepip|config-\w[^/]*)(?:\/|$)/,
  /\.(?:a|la)$/,
];

/** Whether a path stays out of an image. */
export function isUnwanted(path: string): boolean {
  return UNWANTED.some((pattern) => pattern.test(path));
}
