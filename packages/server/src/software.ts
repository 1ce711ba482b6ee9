/** SERVER_SOFTWARE where postern itself is the web server. */
export const software = 'postern/0.1.0';
