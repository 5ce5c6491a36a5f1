/*
 * SignedData (RFC 5652 5): which certificates signed, with what, and whether signature and messageDigest are right. Whom to trust, and when a
 * certificate is valid, is not looked at.
 */
import java.security.PublicKey;
import java.util.*;
import org.bouncycastle.asn1.*;
import org.bouncycastle.asn1.cms.ContentInfo;
import org.bouncycastle.asn1.cms.SignedData;
import org.bouncycastle.asn1.nist.NISTObjectIdentifiers;
import org.bouncycastle.asn1.oiw.OIWObjectIdentifiers;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cms.*;
import org.bouncycastle.cms.jcajce.JcaSimpleSignerInfoVerifierBuilder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.operator.OperatorCreationException;

final class Signed {
	private static final Map<ASN1ObjectIdentifier, String> DIGESTS = Map.of(PKCSObjectIdentifiers.md5, "md5", OIWObjectIdentifiers.idSHA1, "sha1",
	    NISTObjectIdentifiers.id_sha224, "sha224", NISTObjectIdentifiers.id_sha256, "sha256", NISTObjectIdentifiers.id_sha384, "sha384",
	    NISTObjectIdentifiers.id_sha512, "sha512");

	static String digest(ASN1ObjectIdentifier oid) {
		return DIGESTS.getOrDefault(oid, oid.getId());
	}

	/** The content; seen gets kind and signers. */
	static byte[] check(ContentInfo info, byte[] detached, List<Judge.Owner> owners, Map<String, Object> seen) throws Exception {
		ContentInfo inner = SignedData.getInstance(info.getContent()).getEncapContentInfo();
		List<Object> signers = new ArrayList<>();
		seen.put("kind", detached == null ? "signed" : "multipart-signed");
		seen.put("signers", signers);
		if (detached == null && inner.getContent() == null)
			throw new Mime.Broken("SignedData without its content");
		if (detached != null && inner.getContent() != null)
			throw new Mime.Broken("the SignedData of a multipart/signed has a content of its own");
		byte[] content = detached != null ? detached : ASN1OctetString.getInstance(inner.getContent()).getOctets();
		CMSSignedData signed = detached == null ? new CMSSignedData(info) : new CMSSignedData(new CMSProcessableByteArray(content), info);
		for (SignerInformation s : signed.getSignerInfos().getSigners())
			signers.add(signer(s, candidates(signed, s, owners), !inside(signed, s).isEmpty()));
		return content;
	}

	@SuppressWarnings("unchecked") // SignerId is a Selector without a type in 1.72
	private static Collection<X509CertificateHolder> inside(CMSSignedData signed, SignerInformation s) {
		return signed.getCertificates().getMatches(s.getSID());
	}

	private static Set<X509CertificateHolder> candidates(CMSSignedData signed, SignerInformation s, List<Judge.Owner> owners) {
		Set<X509CertificateHolder> out = new LinkedHashSet<>(inside(signed, s));
		for (Judge.Owner o : owners)
			if (s.getSID().match(o.cert))
				out.add(o.cert);
		return out;
	}

	private static Map<String, Object> signer(SignerInformation s, Set<X509CertificateHolder> certs, boolean inside) throws Exception {
		Map<String, Object> out = new LinkedHashMap<>();
		List<Object> attributes = new ArrayList<>();
		String why = "its certificate is not there";
		boolean valid = false;
		out.put("cert-sha256", null);
		out.put("digest", digest(s.getDigestAlgorithmID().getAlgorithm()));
		for (X509CertificateHolder cert : certs) {
			out.put("cert-sha256", Judge.sha256(cert.getEncoded()));
			try {
				// by the key alone: with the certificate, BouncyCastle looks at its time as well
				PublicKey key = new JcaX509CertificateConverter().setProvider("BC").getCertificate(cert).getPublicKey();
				valid = s.verify(new JcaSimpleSignerInfoVerifierBuilder().setProvider("BC").build(key));
				why = "the signature is wrong";
			} catch (CMSException | IllegalArgumentException | ClassCastException e) {
				if (e.getCause() instanceof OperatorCreationException)
					throw new Judge.Cannot("the signature algorithm " + s.getEncryptionAlgOID());
				why = Judge.short_(e);
			}
			if (valid)
				break;
		}
		out.put("valid", valid);
		if (!valid)
			out.put("why", why);
		ASN1Set there = s.toASN1Structure().getAuthenticatedAttributes();
		for (ASN1Encodable a : there == null ? new DERSet() : there)
			attributes.add(org.bouncycastle.asn1.cms.Attribute.getInstance(a).getAttrType().getId());
		out.put("attributes", attributes);
		out.put("algorithm", s.getEncryptionAlgOID());
		out.put("certificate-inside", inside);
		return out;
	}
}
