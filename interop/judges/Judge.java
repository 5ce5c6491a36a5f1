/*
 * The second judge on BouncyCastle: one JSON question a line on standard input, one answer a line on standard output (interop/kit/second.h).
 * {"id":0,"hello":true} asks for the name and version. It takes off the S/MIME layers by itself and says what it saw; it shares no code with the kit.
 * Everything is in memory: messages and what they expand to are bounded by MESSAGE_MAX, and the script that starts this bounds the heap.
 */
import java.io.*;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.security.*;
import java.security.cert.*;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.*;
import org.bouncycastle.asn1.*;
import org.bouncycastle.asn1.cms.*;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cms.*;
import org.bouncycastle.cms.jcajce.ZlibExpanderProvider;
import org.bouncycastle.jce.provider.BouncyCastleProvider;

public final class Judge {
	static final int MESSAGE_MAX = 72 << 20, LAYERS_MAX = 8;

	/** This program cannot judge it. */
	static final class Cannot extends Exception {
		Cannot(String why) {
			super(why);
		}
	}

	/** A certificate, and its key if it may open messages. */
	static final class Owner {
		X509CertificateHolder cert;
		PrivateKey key;
	}

	private final List<Owner> owners = new ArrayList<>();
	private final List<Object> layers = new ArrayList<>();

	static String hex(byte[] in) {
		StringBuilder out = new StringBuilder();
		for (byte b : in)
			out.append(String.format("%02x", b & 255));
		return out.toString();
	}

	static String sha256(byte[] in, int from, int to) throws GeneralSecurityException {
		MessageDigest d = MessageDigest.getInstance("SHA-256");
		d.update(in, from, to - from);
		return hex(d.digest());
	}

	static String sha256(byte[] in) throws GeneralSecurityException {
		return sha256(in, 0, in.length);
	}

	static String short_(Throwable e) {
		String text = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
		return text.replaceAll("\\s+", " ").substring(0, Math.min(200, text.replaceAll("\\s+", " ").length()));
	}

	private static byte[] pem(String path) throws IOException, Cannot {
		String text = new String(Files.readAllBytes(Paths.get(path)), StandardCharsets.ISO_8859_1);
		int begin = text.indexOf("-----BEGIN "), end = text.indexOf("-----END ");
		if (begin < 0 || end < begin)
			throw new Cannot(path + " is not PEM");
		return Base64.getMimeDecoder().decode(text.substring(text.indexOf('\n', begin), end));
	}

	private static Owner owner(String cert, String key) throws Exception {
		Owner o = new Owner();
		o.cert = new X509CertificateHolder(pem(cert));
		if (key != null) {
			byte[] der = pem(key);
			String algorithm = org.bouncycastle.asn1.pkcs.PrivateKeyInfo.getInstance(der).getPrivateKeyAlgorithm().getAlgorithm().getId();
			o.key = KeyFactory.getInstance(algorithm, "BC").generatePrivate(new PKCS8EncodedKeySpec(der));
		}
		return o;
	}

	/** The ContentInfo, and nothing behind it but one line end of a binary body. */
	private static ContentInfo contentInfo(byte[] der) throws Mime.Broken {
		try (ASN1InputStream in = new ASN1InputStream(der)) {
			ContentInfo info = ContentInfo.getInstance(in.readObject());
			int left = in.available();
			boolean lineEnd = left == 2 && der[der.length - 2] == '\r' && der[der.length - 1] == '\n';
			if (info == null || info.getContent() == null)
				throw new Mime.Broken("no CMS object");
			if (left != 0 && !lineEnd)
				throw new Mime.Broken(left + " octets behind the CMS object");
			return info;
		} catch (IOException | RuntimeException e) {
			throw new Mime.Broken("no CMS object: " + short_(e));
		}
	}

	/** Takes off one layer: the octets inside, or null when no key of the question opens it. detached: the content that is signed, or null. */
	private byte[] layer(byte[] der, byte[] detached) throws Exception {
		ContentInfo info = contentInfo(der);
		ASN1ObjectIdentifier type = info.getContentType();
		Map<String, Object> seen = new LinkedHashMap<>();
		layers.add(seen);
		if (detached != null && !type.equals(CMSObjectIdentifiers.signedData))
			throw new Mime.Broken("the signature of a multipart/signed is no SignedData");
		try {
			if (type.equals(CMSObjectIdentifiers.signedData))
				return Signed.check(info, detached, owners, seen);
			if (type.equals(CMSObjectIdentifiers.envelopedData) || type.equals(CMSObjectIdentifiers.authEnvelopedData))
				return Sealed.open(info, owners, seen);
			if (type.equals(CMSObjectIdentifiers.compressedData)) {
				seen.put("kind", "compressed");
				return new CMSCompressedData(info).getContent(new ZlibExpanderProvider(MESSAGE_MAX));
			}
		} catch (IllegalArgumentException | IllegalStateException | ClassCastException | NullPointerException | IndexOutOfBoundsException | CMSException e) {
			seen.putIfAbsent("kind", "unknown");
			throw new Mime.Broken("the CMS object is damaged: " + short_(e));
		}
		layers.remove(seen);
		throw new Cannot("a CMS object of type " + type);
	}

	/** Writes the layers into this.layers; the digest of what is innermost, or null when a layer stays closed. */
	private String peel(byte[] octets) throws Exception {
		int from = 0, to = octets.length;
		boolean der = octets.length > 20 && octets[0] == 0x30 && (octets[1] < 0 || octets[2] == 6);
		for (int depth = 0;; depth++) {
			Mime m = der && depth == 0 ? null : new Mime(octets, from, to);
			boolean cms = m == null || m.isCms();
			if (!cms && !m.isSigned())
				return sha256(octets, from, to);
			if (depth == LAYERS_MAX)
				throw new Cannot("more than " + LAYERS_MAX + " layers");
			if (m != null && m.values("content-type").size() > 1)
				throw new Mime.Broken("more than one Content-Type field");
			if (cms) {
				octets = layer(m == null ? octets : m.content(), null);
				if (octets == null)
					return null;
				from = 0;
				to = octets.length;
				continue;
			}
			int[][] parts = m.signedParts();
			Mime signature = new Mime(octets, parts[1][0], parts[1][1]);
			if (!signature.type().matches("application/(x-)?pkcs7-signature"))
				throw new Mime.Broken("the second part of multipart/signed is no application/pkcs7-signature");
			layer(signature.content(), Mime.canonical(octets, parts[0][0], parts[0][1]));
			from = parts[0][0];
			to = parts[0][1];
		}
	}

	@SuppressWarnings("unchecked")
	private void judge(Map<String, Object> question, Map<String, Object> answer) throws Exception {
		for (Object k : (List<Object>) question.getOrDefault("keys", List.of()))
			owners.add(owner((String) ((Map<String, Object>) k).get("cert"), (String) ((Map<String, Object>) k).get("key")));
		for (Object a : (List<Object>) question.getOrDefault("anchors", List.of()))
			owners.add(owner((String) a, null));
		Path file = Paths.get((String) question.get("file"));
		if (Files.size(file) > MESSAGE_MAX)
			throw new Cannot("a message of more than " + (MESSAGE_MAX >> 20) + " MiB");
		answer.put("ok", true);
		answer.put("layers", layers);
		try {
			String digest = peel(Files.readAllBytes(file));
			if (digest != null)
				answer.put("content-sha256", digest);
		} catch (Mime.Broken e) {
			answer.put("broken", e.getMessage());
		} catch (StackOverflowError e) {
			answer.put("broken", "nested too deep");
		}
	}

	@SuppressWarnings("unchecked")
	private static Map<String, Object> answer(String line) {
		Map<String, Object> answer = new LinkedHashMap<>(), question = null;
		try {
			question = (Map<String, Object>) Json.read(line);
			answer.put("id", question.get("id"));
			if (question.containsKey("hello")) {
				answer.put("ok", true);
				answer.put("name", "BouncyCastle " + Security.getProvider("BC").getVersionStr());
			} else {
				new Judge().judge(question, answer);
			}
		} catch (Throwable e) {
			answer.clear();
			answer.put("id", question == null ? null : question.get("id"));
			answer.put("ok", false);
			answer.put("cannot", e instanceof Cannot ? e.getMessage() : e instanceof OutOfMemoryError ? "too large for the memory of this judge"
			    : e.getClass().getSimpleName() + ": " + short_(e));
		}
		return answer;
	}

	public static void main(String[] args) throws IOException {
		Security.addProvider(new BouncyCastleProvider());
		BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
		PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.US_ASCII);
		System.setOut(System.err); // libraries must not write between the answers
		for (String line; (line = in.readLine()) != null;)
			out.println(Json.write(answer(line)));
	}
}
