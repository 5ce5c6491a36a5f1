/*
 * JSON, as much as the judge's one-line protocol needs: objects, arrays, strings, whole numbers, true, false, null. Reading is strict and bounded in
 * depth.
 */
import java.util.*;

final class Json {
	private static final int DEEPEST = 32;
	private final String text;
	private int at;

	private Json(String text) {
		this.text = text;
	}

	/** Map, List, String, Long, Boolean or null; IllegalArgumentException for anything else. */
	static Object read(String text) {
		Json j = new Json(text);
		Object value = j.value(0);
		j.blanks();
		if (j.at != text.length())
			throw new IllegalArgumentException("characters behind the JSON value");
		return value;
	}

	private void blanks() {
		while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0)
			at++;
	}

	private char next() {
		if (at >= text.length())
			throw new IllegalArgumentException("the JSON value ends too early");
		return text.charAt(at++);
	}

	private boolean taken(char c) {
		blanks();
		if (at >= text.length() || text.charAt(at) != c)
			return false;
		at++;
		return true;
	}

	private void must(char c) {
		if (!taken(c))
			throw new IllegalArgumentException("'" + c + "' is missing at character " + at);
	}

	private Object value(int depth) {
		if (depth > DEEPEST)
			throw new IllegalArgumentException("JSON nested too deep");
		if (taken('{'))
			return object(depth);
		if (taken('['))
			return array(depth);
		if (taken('"'))
			return string();
		for (Object[] word : new Object[][] {{"true", true}, {"false", false}, {"null", null}})
			if (text.startsWith((String) word[0], at)) {
				at += ((String) word[0]).length();
				return word[1];
			}
		int from = at;
		while (at < text.length() && "-0123456789".indexOf(text.charAt(at)) >= 0)
			at++;
		return Long.valueOf(text.substring(from, at));
	}

	private Map<String, Object> object(int depth) {
		Map<String, Object> out = new LinkedHashMap<>();
		if (taken('}'))
			return out;
		do {
			must('"');
			String name = string();
			must(':');
			if (out.put(name, value(depth + 1)) != null)
				throw new IllegalArgumentException("the member " + name + " is there twice");
		} while (taken(','));
		must('}');
		return out;
	}

	private List<Object> array(int depth) {
		List<Object> out = new ArrayList<>();
		if (taken(']'))
			return out;
		do
			out.add(value(depth + 1));
		while (taken(','));
		must(']');
		return out;
	}

	private String string() {
		StringBuilder out = new StringBuilder();
		for (char c; (c = next()) != '"';)
			out.append(c == '\\' ? escape() : c);
		return out.toString();
	}

	private char escape() {
		char c = next();
		int plain = "\"\\/bfnrt".indexOf(c);
		if (plain >= 0)
			return "\"\\/\b\f\n\r\t".charAt(plain);
		if (c != 'u' || at + 4 > text.length())
			throw new IllegalArgumentException("no such escape");
		at += 4;
		return (char) Integer.parseInt(text.substring(at - 4, at), 16);
	}

	/** On one line, in ASCII. */
	static String write(Object value) {
		StringBuilder out = new StringBuilder();
		write(value, out);
		return out.toString();
	}

	private static void write(Object value, StringBuilder out) {
		String between = "";
		if (value instanceof Map) {
			out.append('{');
			for (Map.Entry<?, ?> e : ((Map<?, ?>) value).entrySet()) {
				out.append(between);
				quote((String) e.getKey(), out);
				out.append(':');
				write(e.getValue(), out);
				between = ",";
			}
			out.append('}');
		} else if (value instanceof List) {
			out.append('[');
			for (Object one : (List<?>) value) {
				out.append(between);
				write(one, out);
				between = ",";
			}
			out.append(']');
		} else if (value instanceof String) {
			quote((String) value, out);
		} else {
			out.append(value);
		}
	}

	private static void quote(String s, StringBuilder out) {
		out.append('"');
		for (char c : s.toCharArray()) {
			if (c == '"' || c == '\\')
				out.append('\\').append(c);
			else if (c < 32 || c > 126)
				out.append(String.format("\\u%04x", (int) c));
			else
				out.append(c);
		}
		out.append('"');
	}
}
