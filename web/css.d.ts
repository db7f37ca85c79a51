// A style sheet imported for its effect; the bundler makes a file of it.
declare module '*.css';
