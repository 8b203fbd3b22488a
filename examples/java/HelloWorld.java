import static java.nio.charset.StandardCharsets.UTF_8;

import java.math.BigInteger;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.*;
import java.security.*;
import java.security.interfaces.RSAPublicKey;
import java.time.Instant;
import java.util.*;
import java.util.regex.Pattern;

/** Registers an application, gets a token by signed JWT, and calls an API with it. */
public class HelloWorld {
    static final String KID = "java-1";
    static final String ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    static final HttpClient HTTP = HttpClient.newHttpClient();

    public static void main(String[] args) throws Exception {
        String baseUrl = args[0];
        KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
        generator.initialize(4096);
        KeyPair keys = generator.generateKeyPair();

        // On the platform itself this is done once, in the developer portal.
        String app = """
                {"jwks": %s}""".formatted(jwks((RSAPublicKey) keys.getPublic()));
        String made = send(post(baseUrl + "/_mock/apps", "application/json", app));
        String apiKey = member("api_key", made);

        String tokenUrl = baseUrl + "/oauth2/token";
        String form = "grant_type=client_credentials"
                + "&client_assertion_type=" + URLEncoder.encode(ASSERTION_TYPE, UTF_8)
                + "&client_assertion=" + assertion(apiKey, tokenUrl, keys.getPrivate());
        String granted = send(post(tokenUrl, "application/x-www-form-urlencoded", form));
        String bearer = "Bearer " + member("access_token", granted);

        URI api = URI.create(baseUrl + "/hello-world/hello/application");
        System.out.println(send(HttpRequest.newBuilder(api).header("Authorization", bearer)));
    }

    /** A new one for each token request: the platform takes each {@code jti} only once. */
    static String assertion(String apiKey, String tokenUrl, PrivateKey key) throws Exception {
        String header = """
                {"alg": "RS512", "typ": "JWT", "kid": "%s"}""".formatted(KID);
        long exp = Instant.now().getEpochSecond() + 150; // at most five minutes ahead
        String claims = """
                {"iss": "%s", "sub": "%s", "aud": "%s", "jti": "%s", "exp": %d}"""
                .formatted(apiKey, apiKey, tokenUrl, UUID.randomUUID(), exp);
        String signed = base64Url(header.getBytes(UTF_8)) + "." + base64Url(claims.getBytes(UTF_8));
        Signature signature = Signature.getInstance("SHA512withRSA");
        signature.initSign(key);
        signature.update(signed.getBytes(UTF_8));
        return signed + "." + base64Url(signature.sign());
    }

    static String jwks(RSAPublicKey key) {
        return """
                {"keys": [{"kty": "RSA", "alg": "RS512", "kid": "%s", "n": "%s", "e": "%s"}]}"""
                .formatted(KID, unsigned(key.getModulus()), unsigned(key.getPublicExponent()));
    }

    static String unsigned(BigInteger number) {
        byte[] bytes = number.toByteArray();
        return base64Url(bytes[0] == 0 ? Arrays.copyOfRange(bytes, 1, bytes.length) : bytes);
    }

    static String base64Url(byte[] bytes) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    static HttpRequest.Builder post(String url, String contentType, String body) {
        var whole = HttpRequest.BodyPublishers.ofString(body);
        var request = HttpRequest.newBuilder(URI.create(url)).header("Content-Type", contentType);
        return request.POST(whole);
    }

    static String send(HttpRequest.Builder request) throws Exception {
        var answer = HTTP.send(request.build(), HttpResponse.BodyHandlers.ofString());
        if (answer.statusCode() < 400) return answer.body();
        throw new IllegalStateException(answer.statusCode() + ": " + answer.body());
    }

    /** A text member of a JSON object. Use a JSON library in a program that does more. */
    static String member(String name, String json) {
        var matcher = Pattern.compile("\"" + name + "\"\\s*:\\s*\"([^\"]*)\"").matcher(json);
        if (!matcher.find()) throw new IllegalStateException("no " + name);
        return matcher.group(1);
    }
}
