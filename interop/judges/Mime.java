/*
 * One MIME entity in octets that another program made (RFC 2045, RFC 2046, RFC 8551): its header, its parameters, its body without the transfer
 * encoding, the two parts of a multipart/signed. Nothing is copied but the body. Whatever the octets are, an answer or Broken comes.
 */
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.*;

final class Mime {
	/** The message is broken: says why. */
	static final class Broken extends Exception {
		Broken(String why) {
			super(why);
		}
	}

	private static final int HEADER_MAX = 1 << 20;
	final byte[] all;
	final int from, to;
	private int body;
	private final List<String[]> fields = new ArrayList<>();
	private final Map<String, String> parameters = new HashMap<>();
	private String type = "";

	Mime(byte[] all, int from, int to) throws Broken {
		this.all = all;
		this.from = from;
		this.to = to;
		readHeader();
		List<String> types = values("content-type");
		if (!types.isEmpty())
			readType(types.get(0));
	}

	/** All values of a field, unfolded. */
	List<String> values(String name) {
		List<String> out = new ArrayList<>();
		for (String[] f : fields)
			if (f[0].equals(name))
				out.add(f[1]);
		return out;
	}

	/** "application/pkcs7-mime", or "" without one. */
	String type() {
		return type;
	}

	String parameter(String name) {
		return parameters.getOrDefault(name, "");
	}

	private int lineEnd(int at) {
		while (at < to && all[at] != '\n')
			at++;
		return at;
	}

	private void readHeader() throws Broken {
		int at = from;
		while (at < to) {
			int end = lineEnd(at), cut = end > at && all[end - 1] == '\r' ? end - 1 : end, next = Math.min(end + 1, to);
			if (next - from > HEADER_MAX)
				throw new Broken("a header of more than 1 MiB");
			if (cut == at) {
				body = next;
				return;
			}
			String line = new String(all, at, cut - at, StandardCharsets.ISO_8859_1);
			int colon = line.indexOf(':');
			if (line.charAt(0) == ' ' || line.charAt(0) == '\t') {
				if (fields.isEmpty())
					break;
				fields.get(fields.size() - 1)[1] += line;
			} else if (colon <= 0 || line.substring(0, colon).trim().indexOf(' ') >= 0) {
				break; // no header at all: nothing that has fields
			} else {
				fields.add(new String[] {line.substring(0, colon).trim().toLowerCase(Locale.ROOT), line.substring(colon + 1)});
			}
			at = next;
		}
		if (at < to)
			fields.clear();
		body = at < to ? from : to;
	}

	/** The value cut at semicolons outside quotes and comments (RFC 2045 5.1); quotes and comments are gone. */
	private static List<String> pieces(String value) {
		List<String> out = new ArrayList<>();
		StringBuilder piece = new StringBuilder();
		boolean quoted = false;
		int comments = 0;
		for (int i = 0; i < value.length(); i++) {
			char c = value.charAt(i);
			if (c == '\\' && (quoted || comments > 0) && i + 1 < value.length()) {
				i++;
				if (comments == 0)
					piece.append(value.charAt(i));
			} else if (comments == 0 && c == '"') {
				quoted = !quoted;
			} else if (!quoted && c == '(') {
				comments++;
			} else if (!quoted && c == ')' && comments > 0) {
				comments--;
			} else if (!quoted && comments == 0 && c == ';') {
				out.add(piece.toString());
				piece.setLength(0);
			} else if (comments == 0) {
				piece.append(c);
			}
		}
		out.add(piece.toString());
		return out;
	}

	private void readType(String value) throws Broken {
		List<String> all = pieces(value);
		type = all.get(0).trim().toLowerCase(Locale.ROOT);
		for (String p : all.subList(1, all.size())) {
			int equals = p.indexOf('=');
			if (equals > 0 && parameters.putIfAbsent(p.substring(0, equals).trim().toLowerCase(Locale.ROOT), p.substring(equals + 1).strip()) != null
			    && type.startsWith("multipart/"))
				throw new Broken("a parameter of Content-Type is there twice");
		}
	}

	private boolean namedP7m() {
		String name = parameter("name").toLowerCase(Locale.ROOT);
		if (name.endsWith(".p7m"))
			return true;
		for (String v : values("content-disposition"))
			for (String p : pieces(v))
				if (p.strip().toLowerCase(Locale.ROOT).matches("(?s)filename\\s*=.*\\.p7m"))
					return true;
		return false;
	}

	/** RFC 8551 3.2, 3.10: application/pkcs7-mime, or application/octet-stream that is called .p7m. */
	boolean isCms() {
		return type.equals("application/pkcs7-mime") || type.equals("application/x-pkcs7-mime") || type.equals("application/octet-stream") && namedP7m();
	}

	/** RFC 8551 3.5.3: multipart/signed whose protocol is S/MIME. */
	boolean isSigned() {
		return type.equals("multipart/signed") && parameter("protocol").toLowerCase(Locale.ROOT).matches("application/(x-)?pkcs7-signature");
	}

	/** The body without its transfer encoding. */
	byte[] content() throws Broken {
		List<String> encodings = values("content-transfer-encoding");
		String encoding = encodings.isEmpty() ? "7bit" : String.join(" ", pieces(encodings.get(0))).strip().toLowerCase(Locale.ROOT);
		switch (encoding) {
		case "base64": return base64();
		case "quoted-printable": return quotedPrintable();
		case "7bit": case "8bit": case "binary": return Arrays.copyOfRange(all, body, to);
		default: throw new Broken("the transfer encoding " + encoding + " is not one of MIME");
		}
	}

	private byte[] base64() throws Broken {
		try {
			int n = 0;
			byte[] clean = new byte[to - body];
			for (int i = body; i < to; i++)
				if (all[i] != '\r' && all[i] != '\n' && all[i] != ' ' && all[i] != '\t')
					clean[n++] = all[i];
			return Base64.getDecoder().decode(n == clean.length ? clean : Arrays.copyOf(clean, n));
		} catch (IllegalArgumentException e) {
			throw new Broken("the base64 is damaged: " + e.getMessage());
		}
	}

	private byte[] quotedPrintable() throws Broken {
		ByteArrayOutputStream out = new ByteArrayOutputStream(to - body);
		for (int i = body; i < to; i++) {
			if (all[i] != '=') {
				out.write(all[i]);
			} else if (i + 1 < to && all[i + 1] == '\n') {
				i++;
			} else if (i + 2 < to && all[i + 1] == '\r' && all[i + 2] == '\n') {
				i += 2;
			} else if (i + 2 < to && Character.digit(all[i + 1], 16) >= 0 && Character.digit(all[i + 2], 16) >= 0) {
				out.write(Character.digit(all[i + 1], 16) << 4 | Character.digit(all[i + 2], 16));
				i += 2;
			} else {
				throw new Broken("the quoted-printable is damaged");
			}
		}
		return out.toByteArray();
	}

	/** 0: no boundary line; 1: one between parts; 2: the last. */
	private int boundaryAt(int at, int end, byte[] boundary) {
		int n = boundary.length;
		if (end - at < n + 2 || all[at] != '-' || all[at + 1] != '-' || !Arrays.equals(all, at + 2, at + 2 + n, boundary, 0, n))
			return 0;
		int kind = 1;
		at += n + 2;
		if (end - at >= 2 && all[at] == '-' && all[at + 1] == '-') {
			kind = 2;
			at += 2;
		}
		while (at < end && (all[at] == ' ' || all[at] == '\t' || all[at] == '\r'))
			at++;
		return at == end ? kind : 0;
	}

	/** {from, to} of the two parts of a multipart/signed: what is signed, and the signature (RFC 1847 2.1). The line end before a boundary belongs to it. */
	int[][] signedParts() throws Broken {
		byte[] boundary = parameter("boundary").getBytes(StandardCharsets.ISO_8859_1);
		List<int[]> parts = new ArrayList<>();
		int start = -1;
		boolean last = false;
		if (boundary.length == 0 || boundary.length > 200)
			throw new Broken("multipart/signed without a boundary");
		for (int at = body; at < to && !last;) {
			int end = lineEnd(at), kind = boundaryAt(at, end, boundary);
			if (kind != 0 && start >= 0) {
				int stop = at - 1 > start && all[at - 2] == '\r' ? at - 2 : at - 1;
				parts.add(new int[] {start, Math.max(start, stop)});
			}
			if (kind != 0)
				start = Math.min(end + 1, to);
			last = kind == 2;
			at = end + 1;
		}
		if (!last)
			throw new Broken("multipart/signed whose last boundary is missing");
		if (parts.size() != 2)
			throw new Broken("multipart/signed with " + parts.size() + " parts instead of 2");
		return parts.toArray(new int[0][]);
	}

	/** The octets with CRLF for each bare LF (RFC 8551 3.1.1). */
	static byte[] canonical(byte[] in, int from, int to) {
		int bare = 0, n = 0;
		for (int i = from; i < to; i++)
			if (in[i] == '\n' && (i == from || in[i - 1] != '\r'))
				bare++;
		if (bare == 0)
			return Arrays.copyOfRange(in, from, to);
		byte[] out = new byte[to - from + bare];
		for (int i = from; i < to; i++) {
			if (in[i] == '\n' && (i == from || in[i - 1] != '\r'))
				out[n++] = '\r';
			out[n++] = in[i];
		}
		return out;
	}
}
