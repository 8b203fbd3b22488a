import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;

/**
 * Calls APIs through the sidecar with Java's own client, which is told the sidecar's address alone.
 * {@code java Sidecar.java SIDECAR-URL MIB} prints what it got, as JSON.
 */
public class Sidecar {
    static final HttpClient HTTP = HttpClient.newHttpClient();
    static String sidecar;

    public static void main(String[] args) throws Exception {
        sidecar = args[0];
        int mib = Integer.parseInt(args[1]);

        String greeting = text(to("/hello-world/hello/application").GET());
        String token = text(to("/token").POST(BodyPublishers.noBody()));

        Path sent = Files.createTempFile("sent", null);
        List<String> uploads = new ArrayList<>();
        try {
            fill(sent, mib);
            String hash = sha256(Files.newInputStream(sent));
            BodyPublisher chunked = BodyPublishers.ofInputStream(() -> open(sent));
            uploads.add(upload("length", BodyPublishers.ofFile(sent), false, hash));
            uploads.add(upload("chunked", chunked, false, hash));
            uploads.add(upload("expect", BodyPublishers.ofFile(sent), true, hash));
        } finally {
            Files.delete(sent);
        }

        String downloaded = download("/files/data/" + mib);
        List<CompletableFuture<String>> several = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            several.add(CompletableFuture.supplyAsync(() -> download("/files/data/4")));
        }
        String atOnce = several.stream().map(CompletableFuture::join).map(Sidecar::quoted)
                .collect(Collectors.joining(","));

        System.out.printf(
                "{\"greeting\":%s,\"token\":%s,\"uploads\":{%s},\"downloaded\":%s,\"at_once\":[%s]}%n",
                quoted(greeting), token, String.join(",", uploads), quoted(downloaded), atOnce);
    }

    static HttpRequest.Builder to(String path) {
        return HttpRequest.newBuilder(URI.create(sidecar + path));
    }

    static String text(HttpRequest.Builder request) throws Exception {
        var answer = HTTP.send(request.build(), BodyHandlers.ofString());
        if (answer.statusCode() != 200) {
            throw new IOException(answer.statusCode() + ": " + answer.body());
        }
        return answer.body();
    }

    static String upload(String kind, BodyPublisher body, boolean expects, String hash)
            throws Exception {
        String told = text(to("/files/upload/" + kind).expectContinue(expects).POST(body));
        String itsHash = told.replaceAll(".*\"sha256\":\"([0-9a-f]+)\".*", "$1");
        return "\"%s\":{\"sent\":\"%s\",\"told\":\"%s\"}".formatted(kind, hash, itsHash);
    }

    static String download(String path) {
        try {
            var answer = HTTP.send(to(path).build(), BodyHandlers.ofInputStream());
            if (answer.statusCode() != 200) throw new IOException("" + answer.statusCode());
            return sha256(answer.body());
        } catch (Exception failure) {
            throw new IllegalStateException(path, failure);
        }
    }

    static void fill(Path path, int mib) throws IOException {
        byte[] piece = new byte[1024 * 1024];
        SecureRandom random = new SecureRandom();
        try (var file = Files.newOutputStream(path)) {
            for (int i = 0; i < mib; i++) {
                random.nextBytes(piece);
                file.write(piece);
            }
        }
    }

    static InputStream open(Path path) {
        try {
            return Files.newInputStream(path);
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    static String sha256(InputStream stream) throws Exception {
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        byte[] piece = new byte[64 * 1024];
        try (stream) {
            for (int read; (read = stream.read(piece)) > 0;) digest.update(piece, 0, read);
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    static String quoted(String text) {
        return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
    }
}
