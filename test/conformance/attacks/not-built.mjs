/** Rows about what does not exist: each has its reason, and no test. */
export const notBuilt = {
  D13: 'there is no supervisor: a process that dies is started again by systemd or the web server, which have back-offs of their own',
};
