import type { CompareProgram } from './compare-types.ts';

/** Lua source of many functions, translated to byte code again and again; nothing of it is run. */
const COMPILE = `cat >source.lua <<'EOF'
local parts = {}
for n = 1, 300 do
  parts[n] = "function f" .. n .. "(a, b)\\n  local sum = 0\\n  for i = a, b do\\n" ..
    "    if i % " .. n .. " == 0 then sum = sum + i * " .. n .. " else sum = sum - 1 end\\n" ..
    "  end\\n  return { sum, a .. b, f = function(x) return x .. sum end }\\nend\\n"
end
local source = table.concat(parts)
for _ = 1, 20 do assert(load(source)) end
EOF
lua source.lua`;

const FILES = `mkdir many
i=0
while [ $i -lt 150 ]; do echo "file number $i" >many/$i; i=$((i+1)); done
cat many/* >all
busybox tar -cf many.tar many
busybox rm -r many
busybox tar -xf many.tar
busybox rm -r many all many.tar`;

const SERVER = `echo 'hello from a small server' >index.html
busybox httpd -p 127.0.0.1:8099 -h .
i=0
while [ $i -lt 20 ]; do busybox wget -q -O - http://127.0.0.1:8099/ >/dev/null || exit 1; i=$((i+1)); done`;

/** The programs of `hypertab compare`. */
export const COMPARE_PROGRAMS: readonly CompareProgram[] = [
  {
    name: 'loop',
    title: 'counting to 100,000 in a shell',
    image: 'busybox',
    script: 'i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done',
  },
  {
    name: 'compile',
    title: 'translating 6,000 functions of Lua to byte code',
    image: 'lua',
    script: COMPILE,
  },
  {
    name: 'files',
    title: '150 files made, read, packed, removed, unpacked, removed',
    image: 'busybox',
    script: FILES,
  },
  {
    name: 'server',
    title: 'a small HTTP server, and 20 requests to it',
    image: 'busybox',
    script: SERVER,
  },
];
