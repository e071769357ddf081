// A client on Go's net/http that asks for one page and prints what it gets.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
)

func main() {
	support, port, path, authority := os.Args[1], os.Args[2], os.Args[3], os.Args[4]
	chain, key := os.Args[5], os.Args[6]
	roots := x509.NewCertPool()
	pem, _ := os.ReadFile(authority)
	roots.AppendCertsFromPEM(pem)
	config := &tls.Config{RootCAs: roots, MaxVersion: tls.VersionTLS12}
	if support == "once" {
		config.Renegotiation = tls.RenegotiateOnceAsClient
	}
	if chain != "" {
		certificate, err := tls.LoadX509KeyPair(chain, key)
		if err != nil {
			panic(err)
		}
		config.Certificates = []tls.Certificate{certificate}
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: config}}
	response, err := client.Get("https://localhost:" + port + path)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("HTTP/1.1", response.StatusCode)
	fmt.Println("X-Verify:", response.Header.Get("X-Verify"))
}
