// A client on Java's HttpsURLConnection that asks for one page and prints what it gets.
import java.io.FileInputStream;
import java.io.InputStream;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import javax.net.ssl.HttpsURLConnection;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

class Client {
    public static void main(String[] arguments) throws Exception {
        String port = arguments[0], path = arguments[1], authority = arguments[2];
        String chain = arguments[3], key = arguments[4], version = arguments[5];
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(chain.isEmpty() ? null : keys(chain, key), trust(authority).getTrustManagers(), null);
        System.setProperty("https.protocols", version);
        URL url = new URL("https://localhost:" + port + path);
        HttpsURLConnection connection = (HttpsURLConnection) url.openConnection();
        connection.setSSLSocketFactory(context.getSocketFactory());
        try {
            System.out.println("HTTP/1.1 " + connection.getResponseCode());
            System.out.println("X-Verify: " + connection.getHeaderField("X-Verify"));
        } catch (Exception error) {
            System.out.println(error);
        }
    }

    static TrustManagerFactory trust(String authority) throws Exception {
        KeyStore store = empty();
        store.setCertificateEntry("root", certificates(authority)[0]);
        TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX");
        factory.init(store);
        return factory;
    }

    static KeyManager[] keys(String chain, String key) throws Exception {
        String text = Files.readString(Path.of(key)).replaceAll("-----[A-Z ]+-----|\\s", "");
        byte[] der = Base64.getDecoder().decode(text);
        KeyStore store = empty();
        store.setKeyEntry(
                "client",
                KeyFactory.getInstance("EC").generatePrivate(new PKCS8EncodedKeySpec(der)),
                new char[0],
                certificates(chain));
        KeyManagerFactory factory = KeyManagerFactory.getInstance("SunX509");
        factory.init(store, new char[0]);
        return factory.getKeyManagers();
    }

    static KeyStore empty() throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        return store;
    }

    static Certificate[] certificates(String file) throws Exception {
        try (InputStream input = new FileInputStream(file)) {
            CertificateFactory factory = CertificateFactory.getInstance("X.509");
            return factory.generateCertificates(input).toArray(new Certificate[0]);
        }
    }
}
