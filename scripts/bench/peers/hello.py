"""The application of the bench for uWSGI."""


def application(environ, start_response):
    text = f"hello from {environ['PATH_INFO']} to a reader of {environ['HTTP_ACCEPT_LANGUAGE']}\n".encode()
    start_response('200 OK', [('Content-Type', 'text/plain'), ('Content-Length', str(len(text)))])
    return [text]
