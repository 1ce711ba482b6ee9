// The application of the bench with Go's own FastCGI: hello NETWORK ADDRESS.
package main

import (
	"fmt"
	"log"
	"net"
	"net/http"
	"net/http/fcgi"
	"os"
)

func main() {
	listener, err := net.Listen(os.Args[1], os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("listening", listener.Addr())
	log.Fatal(fcgi.Serve(listener, http.HandlerFunc(hello)))
}

func hello(w http.ResponseWriter, r *http.Request) {
	text := fmt.Sprintf("hello from %s to a reader of %s\n", r.URL.Path, r.Header.Get("Accept-Language"))
	w.Header().Set("Content-Type", "text/plain")
	w.Header().Set("Content-Length", fmt.Sprint(len(text)))
	fmt.Fprint(w, text)
}
