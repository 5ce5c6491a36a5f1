/*
 * BouncyCastle as a peer: one request a line on standard input (verb and name=value, parted by tabs), one answer a line: "ok" or "error" and the reason. Keys are
 * PKCS#8 in PEM, certificates PEM, messages DER or BER in files.
 */
import java.io.*;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.security.*;
import java.security.cert.*;
import java.security.interfaces.ECPublicKey;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.*;
import javax.crypto.spec.OAEPParameterSpec;
import javax.crypto.spec.PSource;
import org.bouncycastle.asn1.*;
import org.bouncycastle.asn1.cms.*;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.jcajce.*;
import org.bouncycastle.cms.*;
import org.bouncycastle.cms.jcajce.*;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.operator.ContentSigner;
import org.bouncycastle.operator.OutputAEADEncryptor;
import org.bouncycastle.operator.jcajce.*;

public class Peer {
	static byte[] read(String path) throws IOException {
		return Files.readAllBytes(Paths.get(path));
	}

	static void write(String path, byte[] octets) throws IOException {
		Files.write(Paths.get(path), octets);
	}

	static X509Certificate cert(String path) throws Exception {
		return (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(read(path)));
	}

	static PrivateKey key(String path, PublicKey of) throws Exception {
		String text = new String(read(path), StandardCharsets.US_ASCII).replaceAll("-----[^-]+-----|\\s", "");
		return KeyFactory.getInstance(of.getAlgorithm().startsWith("EC") ? "EC" : "RSA", "BC").generatePrivate(new PKCS8EncodedKeySpec(Base64.getDecoder().decode(text)));
	}

	static void sign(Map<String, String> o) throws Exception {
		X509Certificate cert = cert(o.get("cert"));
		ContentSigner signer = new JcaContentSignerBuilder(o.get("algorithm")).setProvider("BC").build(key(o.get("key"), cert.getPublicKey()));
		JcaSignerInfoGeneratorBuilder info = new JcaSignerInfoGeneratorBuilder(new JcaDigestCalculatorProviderBuilder().setProvider("BC").build());
		boolean inside = !"yes".equals(o.get("detached"));
		byte[] content = read(o.get("in"));

		if ("yes".equals(o.get("ber"))) {
			CMSSignedDataStreamGenerator g = new CMSSignedDataStreamGenerator();
			g.addSignerInfoGenerator(info.build(signer, cert));
			g.addCertificates(new JcaCertStore(List.of(cert)));
			g.setBufferSize(100);
			ByteArrayOutputStream out = new ByteArrayOutputStream();
			try (OutputStream to = g.open(out, inside)) {
				to.write(content);
			}
			write(o.get("out"), out.toByteArray());
			return;
		}
		CMSSignedDataGenerator g = new CMSSignedDataGenerator();
		g.addSignerInfoGenerator(info.build(signer, cert));
		g.addCertificates(new JcaCertStore(List.of(cert)));
		write(o.get("out"), g.generate(new CMSProcessableByteArray(content), inside).toASN1Structure().getEncoded(ASN1Encoding.DER));
	}

	@SuppressWarnings("unchecked")
	static void verify(Map<String, String> o) throws Exception {
		byte[] in = read(o.get("in"));
		CMSSignedData signed = o.containsKey("content") ? new CMSSignedData(new CMSProcessableByteArray(read(o.get("content"))), in) : new CMSSignedData(in);
				X509Certificate ca = cert(o.get("ca"));
		int n = 0;

		for (SignerInformation s : signed.getSignerInfos().getSigners()) {
			X509CertificateHolder holder = (X509CertificateHolder) signed.getCertificates().getMatches(s.getSID()).iterator().next();
			X509Certificate cert = new JcaX509CertificateConverter().setProvider("BC").getCertificate(holder);
			cert.verify(ca.getPublicKey());
			if (!s.verify(new JcaSimpleSignerInfoVerifierBuilder().setProvider("BC").build(cert)))
				throw new CMSException("the signature does not verify");
			n++;
		}
		if (n == 0)
			throw new CMSException("nobody signed");
		if (!o.containsKey("content"))
			write(o.get("out"), (byte[]) signed.getSignedContent().getContent());
	}

	static ASN1ObjectIdentifier cipher(String name) {
		switch (name) {
		case "aes-128-cbc": return CMSAlgorithm.AES128_CBC;
		case "aes-192-cbc": return CMSAlgorithm.AES192_CBC;
		case "aes-256-cbc": return CMSAlgorithm.AES256_CBC;
		case "aes-128-gcm": return CMSAlgorithm.AES128_GCM;
		case "aes-192-gcm": return CMSAlgorithm.AES192_GCM;
		case "aes-256-gcm": return CMSAlgorithm.AES256_GCM;
		default: throw new IllegalArgumentException(name);
		}
	}

	static ASN1ObjectIdentifier wrap(String cipher) {
		return cipher.contains("128") ? CMSAlgorithm.AES128_WRAP : cipher.contains("192") ? CMSAlgorithm.AES192_WRAP : CMSAlgorithm.AES256_WRAP;
	}

	static RecipientInfoGenerator keyTrans(Map<String, String> o, X509Certificate cert) throws Exception {
		byte[] ski = null;
		if ("yes".equals(o.get("ski")))
			ski = new JcaX509ExtensionUtils().createSubjectKeyIdentifier(cert.getPublicKey()).getKeyIdentifier();
		if (o.get("keys").startsWith("oaep")) {
			String hash = o.get("keys").equals("oaep-sha1") ? "SHA-1" : "SHA-256";
			PSource label = o.containsKey("label") ? new PSource.PSpecified(o.get("label").getBytes(StandardCharsets.UTF_8)) : PSource.PSpecified.DEFAULT;
			OAEPParameterSpec spec = new OAEPParameterSpec(hash, "MGF1", new MGF1ParameterSpec(hash), label);
			org.bouncycastle.asn1.x509.AlgorithmIdentifier alg = new JcaAlgorithmParametersConverter().getAlgorithmIdentifier(
			    org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers.id_RSAES_OAEP, spec);
			return ski != null ? new JceKeyTransRecipientInfoGenerator(ski, alg, cert.getPublicKey()).setProvider("BC")
			                   : new JceKeyTransRecipientInfoGenerator(cert, alg).setProvider("BC");
		}
		return ski != null ? new JceKeyTransRecipientInfoGenerator(ski, cert.getPublicKey()).setProvider("BC") : new JceKeyTransRecipientInfoGenerator(cert).setProvider("BC");
	}

	static RecipientInfoGenerator keyAgree(Map<String, String> o, X509Certificate cert) throws Exception {
		ASN1ObjectIdentifier kdf = "SHA-384".equals(o.get("hash")) ? CMSAlgorithm.ECDH_SHA384KDF : "SHA-1".equals(o.get("hash")) ? CMSAlgorithm.ECDH_SHA1KDF : CMSAlgorithm.ECDH_SHA256KDF;
		KeyPairGenerator g = KeyPairGenerator.getInstance("EC", "BC");
		g.initialize(((ECPublicKey) cert.getPublicKey()).getParams());
		KeyPair once = g.generateKeyPair();
		JceKeyAgreeRecipientInfoGenerator r = new JceKeyAgreeRecipientInfoGenerator(kdf, once.getPrivate(), once.getPublic(), wrap(o.get("cipher")));
		if ("yes".equals(o.get("ski")))
			return r.addRecipient(new JcaX509ExtensionUtils().createSubjectKeyIdentifier(cert.getPublicKey()).getKeyIdentifier(), cert.getPublicKey()).setProvider("BC");
		return r.addRecipient(cert).setProvider("BC");
	}

	static void encrypt(Map<String, String> o) throws Exception {
		X509Certificate cert = cert(o.get("cert"));
		RecipientInfoGenerator to = o.get("keys").equals("ecdh") ? keyAgree(o, cert) : keyTrans(o, cert);
		JceCMSContentEncryptorBuilder how = new JceCMSContentEncryptorBuilder(cipher(o.get("cipher"))).setProvider("BC");
		byte[] content = read(o.get("in"));

		if (o.get("cipher").endsWith("gcm")) {
			CMSAuthEnvelopedDataGenerator g = new CMSAuthEnvelopedDataGenerator();
			g.addRecipientInfoGenerator(to);
			write(o.get("out"), g.generate(new CMSProcessableByteArray(content), (OutputAEADEncryptor) how.build()).toASN1Structure().getEncoded(ASN1Encoding.DER));
		} else if ("yes".equals(o.get("ber"))) {
			CMSEnvelopedDataStreamGenerator g = new CMSEnvelopedDataStreamGenerator();
			g.addRecipientInfoGenerator(to);
			g.setBufferSize(100);
			ByteArrayOutputStream out = new ByteArrayOutputStream();
			try (OutputStream stream = g.open(out, how.build())) {
				stream.write(content);
			}
			write(o.get("out"), out.toByteArray());
		} else {
			CMSEnvelopedDataGenerator g = new CMSEnvelopedDataGenerator();
			g.addRecipientInfoGenerator(to);
			write(o.get("out"), g.generate(new CMSProcessableByteArray(content), how.build()).toASN1Structure().getEncoded(ASN1Encoding.DER));
		}
	}

	static void decrypt(Map<String, String> o) throws Exception {
		X509Certificate cert = cert(o.get("cert"));
		PrivateKey key = key(o.get("key"), cert.getPublicKey());
		byte[] in = read(o.get("in"));
		ContentInfo info = ContentInfo.getInstance(in);
		boolean auth = info.getContentType().equals(CMSObjectIdentifiers.authEnvelopedData);
		RecipientInformationStore all = auth ? new CMSAuthEnvelopedData(in).getRecipientInfos() : new CMSEnvelopedData(in).getRecipientInfos();
		boolean ec = cert.getPublicKey() instanceof ECPublicKey;
		RecipientId id = ec ? new JceKeyAgreeRecipientId(cert) : new JceKeyTransRecipientId(cert);
		RecipientInformation mine = all.get(id);

		if (mine == null)
			throw new CMSException("no RecipientInfo for this certificate");
		if (ec && auth)
			throw new CMSException("BouncyCastle 1.72 has no class for ECDH with AuthEnvelopedData");
		Recipient how = ec ? new JceKeyAgreeEnvelopedRecipient(key).setProvider("BC")
		              : auth ? new JceKeyTransAuthEnvelopedRecipient(key).setProvider("BC") : new JceKeyTransEnvelopedRecipient(key).setProvider("BC");
		write(o.get("out"), mine.getContent(how));
	}

	static void compress(Map<String, String> o) throws Exception {
		write(o.get("out"), new CMSCompressedDataGenerator().generate(new CMSProcessableByteArray(read(o.get("in"))), new ZlibCompressor()).getEncoded());
	}

	static void answer(Map<String, String> o, String verb) throws Exception {
		switch (verb) {
		case "sign": sign(o); break;
		case "verify": verify(o); break;
		case "encrypt": encrypt(o); break;
		case "decrypt": decrypt(o); break;
		case "compress": compress(o); break;
		default: throw new IllegalArgumentException("unknown verb " + verb);
		}
	}

	public static void main(String[] args) throws Exception {
		Security.addProvider(new BouncyCastleProvider());
		BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
		for (String line; (line = in.readLine()) != null;) {
			String[] words = line.split("\t");
			Map<String, String> o = new HashMap<>();
			for (int i = 1; i < words.length; i++)
				o.put(words[i].substring(0, words[i].indexOf('=')), words[i].substring(words[i].indexOf('=') + 1));
			try {
				answer(o, words[0]);
				System.out.println("ok");
			} catch (Throwable e) {
				System.out.println("error " + (e.getClass().getSimpleName() + ": " + e.getMessage() + (e.getCause() != null ? " (" + e.getCause().getMessage() + ")" : "")).replaceAll("\\s+", " "));
			}
			System.out.flush();
		}
	}
}
