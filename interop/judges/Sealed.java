/*
 * EnvelopedData (RFC 5652 6) and AuthEnvelopedData (RFC 5083, RFC 5084): for whom it is encrypted and how, and the content when a key of the question
 * opens it. A key is tried only where the RecipientInfo names its certificate.
 */
import java.security.*;
import java.security.spec.AlgorithmParameterSpec;
import java.util.*;
import javax.crypto.Cipher;
import javax.crypto.spec.*;
import org.bouncycastle.asn1.*;
import org.bouncycastle.asn1.cms.*;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.pkcs.RC2CBCParameter;
import org.bouncycastle.asn1.pkcs.RSAESOAEPparams;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.SubjectKeyIdentifier;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.asn1.x9.X9ObjectIdentifiers;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cms.*;
import org.bouncycastle.cms.jcajce.*;

final class Sealed {
	private static final Map<ASN1ObjectIdentifier, String> CIPHERS = Map.of(CMSAlgorithm.AES128_CBC, "aes128-cbc", CMSAlgorithm.AES192_CBC, "aes192-cbc",
	    CMSAlgorithm.AES256_CBC, "aes256-cbc", CMSAlgorithm.AES128_GCM, "aes128-gcm", CMSAlgorithm.AES192_GCM, "aes192-gcm", CMSAlgorithm.AES256_GCM, "aes256-gcm",
	    CMSAlgorithm.DES_EDE3_CBC, "des3", CMSAlgorithm.RC2_CBC, "rc2");

	/** BouncyCastle unwraps the content key; the content is decrypted here, because 1.72 has no class for ECDH with AuthEnvelopedData. */
	private static final class Transported extends JceKeyTransRecipient {
		Transported(PrivateKey key) {
			super(key);
			setProvider("BC");
		}

		Key unwrap(KeyTransRecipientInfo r, AlgorithmIdentifier content) throws CMSException {
			return extractSecretKey(r.getKeyEncryptionAlgorithm(), content, r.getEncryptedKey().getOctets());
		}

		public RecipientOperator getRecipientOperator(AlgorithmIdentifier how, AlgorithmIdentifier content, byte[] key) {
			throw new UnsupportedOperationException();
		}
	}

	private static final class Agreed extends JceKeyAgreeRecipient {
		Agreed(PrivateKey key) {
			super(key);
			setProvider("BC");
		}

		Key unwrap(KeyAgreeRecipientInfo r, AlgorithmIdentifier content, SubjectPublicKeyInfo sender, byte[] key) throws CMSException {
			return extractSecretKey(r.getKeyEncryptionAlgorithm(), content, sender, r.getUserKeyingMaterial(), key);
		}

		public RecipientOperator getRecipientOperator(AlgorithmIdentifier how, AlgorithmIdentifier content, SubjectPublicKeyInfo sender,
		    ASN1OctetString ukm, byte[] key) {
			throw new UnsupportedOperationException();
		}
	}

	private final List<Judge.Owner> owners;
	private final List<Object> recipients = new ArrayList<>();
	private final AlgorithmIdentifier cipher;
	private Key key; // of the content
	private Judge.Owner by;
	private String why;

	private Sealed(List<Judge.Owner> owners, AlgorithmIdentifier cipher) {
		this.owners = owners;
		this.cipher = cipher;
	}

	/** The content, or null when no key is there for it; seen gets kind, cipher, recipients, opened. */
	static byte[] open(ContentInfo info, List<Judge.Owner> owners, Map<String, Object> seen) throws Exception {
		boolean auth = info.getContentType().equals(CMSObjectIdentifiers.authEnvelopedData);
		AuthEnvelopedData a = auth ? AuthEnvelopedData.getInstance(info.getContent()) : null;
		EnvelopedData e = auth ? null : EnvelopedData.getInstance(info.getContent());
		EncryptedContentInfo inner = auth ? a.getAuthEncryptedContentInfo() : e.getEncryptedContentInfo();
		Sealed s = new Sealed(owners, inner.getContentEncryptionAlgorithm());

		seen.put("kind", auth ? "auth-enveloped" : "enveloped");
		seen.put("cipher", CIPHERS.getOrDefault(s.cipher.getAlgorithm(), s.cipher.getAlgorithm().getId()));
		seen.put("recipients", s.recipients);
		seen.put("opened", false);
		for (ASN1Encodable r : auth ? a.getRecipientInfos() : e.getRecipientInfos())
			s.recipient(RecipientInfo.getInstance(r));
		if (inner.getEncryptedContent() == null)
			throw new Mime.Broken("the encrypted content is not there");
		boolean aead = ((String) seen.get("cipher")).endsWith("-gcm");
		if (auth != aead)
			throw new Mime.Broken((auth ? "AuthEnvelopedData with " : "EnvelopedData with ") + seen.get("cipher"));
		if (auth)
			s.tag(a, seen);
		if (s.key == null && s.why != null)
			throw new Mime.Broken("the content's key does not open: " + s.why);
		if (s.key == null)
			return null;
		byte[] content = auth ? s.gcm(a, inner.getEncryptedContent().getOctets()) : s.cbc(inner.getEncryptedContent().getOctets());
		if (!inner.getContentType().equals(CMSObjectIdentifiers.data))
			throw new Judge.Cannot("an encrypted content of type " + inner.getContentType());
		seen.put("opened", true);
		seen.put("opened-by", Judge.sha256(s.by.cert.getEncoded()));
		return content;
	}

	private static String keys(AlgorithmIdentifier how) {
		if (how.getAlgorithm().equals(PKCSObjectIdentifiers.rsaEncryption))
			return "pkcs1";
		if (!how.getAlgorithm().equals(PKCSObjectIdentifiers.id_RSAES_OAEP))
			return how.getAlgorithm().getId();
		ASN1Encodable params = how.getParameters() == null ? new DERSequence() : how.getParameters();
		return "oaep-" + Signed.digest(RSAESOAEPparams.getInstance(params).getHashAlgorithm().getAlgorithm());
	}

	private static boolean isEcdh(ASN1ObjectIdentifier how) {
		return how.on(new ASN1ObjectIdentifier("1.3.132.1.11")) || how.equals(X9ObjectIdentifiers.dhSinglePass_stdDH_sha1kdf_scheme);
	}

	/** Is it this certificate that the RecipientInfo names? */
	private static boolean names(Judge.Owner o, ASN1Encodable id) throws Exception {
		if (id instanceof IssuerAndSerialNumber) {
			IssuerAndSerialNumber i = (IssuerAndSerialNumber) id;
			return i.getName().equals(o.cert.getIssuer()) && i.getSerialNumber().getValue().equals(o.cert.getSerialNumber());
		}
		SubjectKeyIdentifier ski = o.cert.getExtensions() == null ? null : SubjectKeyIdentifier.fromExtensions(o.cert.getExtensions());
		return ski != null && Arrays.equals(ski.getKeyIdentifier(), ASN1OctetString.getInstance(id).getOctets());
	}

	private Map<String, Object> seen(ASN1Encodable id, String keys) throws Exception {
		Map<String, Object> out = new LinkedHashMap<>();
		if (id instanceof IssuerAndSerialNumber)
			out.put("issuer-serial-sha256", Judge.sha256(((IssuerAndSerialNumber) id).getEncoded(ASN1Encoding.DER)));
		else if (id != null)
			out.put("ski", Judge.hex(ASN1OctetString.getInstance(id).getOctets()));
		out.put("keys", keys);
		recipients.add(out);
		return out;
	}

	private void recipient(RecipientInfo r) throws Exception {
		if (r.getInfo() instanceof KeyTransRecipientInfo) {
			KeyTransRecipientInfo t = (KeyTransRecipientInfo) r.getInfo();
			ASN1Encodable id = t.getRecipientIdentifier().getId();
			seen(id, keys(t.getKeyEncryptionAlgorithm()));
			for (Judge.Owner o : owners)
				if (key == null && o.key != null && names(o, id))
					attempt(o, () -> new Transported(o.key).unwrap(t, cipher));
		} else if (r.getInfo() instanceof KeyAgreeRecipientInfo) {
			KeyAgreeRecipientInfo a = (KeyAgreeRecipientInfo) r.getInfo();
			for (ASN1Encodable one : a.getRecipientEncryptedKeys())
				agreed(a, RecipientEncryptedKey.getInstance(one));
		} else {
			seen(null, r.getInfo() instanceof KEKRecipientInfo ? "kek" : r.getInfo() instanceof PasswordRecipientInfo ? "password" : "other");
		}
	}

	private void agreed(KeyAgreeRecipientInfo a, RecipientEncryptedKey one) throws Exception {
		KeyAgreeRecipientIdentifier who = one.getIdentifier();
		ASN1Encodable id = who.getIssuerAndSerialNumber() != null ? who.getIssuerAndSerialNumber() : who.getRKeyID().getSubjectKeyIdentifier();
		ASN1ObjectIdentifier how = a.getKeyEncryptionAlgorithm().getAlgorithm();
		OriginatorPublicKey sender = a.getOriginator().getOriginatorKey();

		seen(id, isEcdh(how) ? "ecdh" : how.getId()).put("scheme", how.getId());
		for (Judge.Owner o : owners) {
			if (key != null || o.key == null || !names(o, id))
				continue;
			if (sender == null)
				throw new Judge.Cannot("a key agreement whose sender has a certificate");
			AlgorithmIdentifier curve = o.cert.getSubjectPublicKeyInfo().getAlgorithm();
			SubjectPublicKeyInfo from = new SubjectPublicKeyInfo(curve, sender.getPublicKey().getBytes());
			attempt(o, () -> new Agreed(o.key).unwrap(a, cipher, from, one.getEncryptedKey().getOctets()));
		}
	}

	private interface Unwrap {
		Key key() throws Exception;
	}

	private void attempt(Judge.Owner o, Unwrap u) throws Judge.Cannot {
		try {
			key = u.key();
			by = o;
		} catch (Exception e) {
			why = Judge.short_(e);
			for (Throwable t = e; t != null; t = t.getCause())
				if (t instanceof NoSuchAlgorithmException)
					throw new Judge.Cannot("key management: " + Judge.short_(t));
		}
	}

	/** RFC 5084 1.5, 3.2: 12 to 16 octets, as the parameters say. */
	private void tag(AuthEnvelopedData a, Map<String, Object> seen) throws Mime.Broken {
		int told = org.bouncycastle.asn1.cms.GCMParameters.getInstance(cipher.getParameters()).getIcvLen(), there = a.getMac().getOctets().length;
		seen.put("tag-length", (long) there);
		if (told != there || there < 12 || there > 16)
			throw new Mime.Broken("a GCM tag of " + there + " octets where the parameters say " + told);
	}

	private byte[] gcm(AuthEnvelopedData a, byte[] in) throws Exception {
		byte[] tag = a.getMac().getOctets();
		Cipher c = Cipher.getInstance("AES/GCM/NoPadding", "BC");
		c.init(Cipher.DECRYPT_MODE, new SecretKeySpec(key.getEncoded(), "AES"),
		    new GCMParameterSpec(8 * tag.length, org.bouncycastle.asn1.cms.GCMParameters.getInstance(cipher.getParameters()).getNonce()));
		if (a.getAuthAttrs() != null)
			c.updateAAD(new DERSet(a.getAuthAttrs().toArray()).getEncoded(ASN1Encoding.DER));
		byte[] out = new byte[c.getOutputSize(in.length + tag.length)];
		try {
			int n = c.update(in, 0, in.length, out, 0);
			n += c.doFinal(tag, 0, tag.length, out, n);
			return n == out.length ? out : Arrays.copyOf(out, n);
		} catch (GeneralSecurityException e) {
			throw new Mime.Broken("the content does not decrypt: " + Judge.short_(e));
		}
	}

	private byte[] cbc(byte[] in) throws Exception {
		String name = CIPHERS.get(cipher.getAlgorithm());
		AlgorithmParameterSpec iv;
		if (name == null)
			throw new Judge.Cannot("the cipher " + cipher.getAlgorithm());
		if (name.equals("rc2")) {
			RC2CBCParameter p = RC2CBCParameter.getInstance(cipher.getParameters());
			int version = p.getRC2ParameterVersion().intValue(), bits = version == 160 ? 40 : version == 120 ? 64 : version == 58 ? 128 : version;
			iv = new RC2ParameterSpec(bits, p.getIV());
		} else {
			iv = new IvParameterSpec(ASN1OctetString.getInstance(cipher.getParameters()).getOctets());
		}
		String family = name.equals("rc2") ? "RC2" : name.equals("des3") ? "DESede" : "AES";
		Cipher c = Cipher.getInstance(family + "/CBC/PKCS5Padding", "BC");
		c.init(Cipher.DECRYPT_MODE, new SecretKeySpec(key.getEncoded(), family), iv);
		try {
			return c.doFinal(in);
		} catch (GeneralSecurityException e) {
			throw new Mime.Broken("the content does not decrypt: " + Judge.short_(e));
		}
	}
}
