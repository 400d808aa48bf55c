import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;
import org.apache.avro.util.RandomData;

/**
 * What Avro's own library makes of bytes, one JSON object a line: {"schema", "bytes"} is read and written again, {"schema", "seed"}
 * asks for any value of the schema. Answers {"bytes"} or {"fails"}.
 */
public final class AvroBytes {
  private static final ObjectMapper MAPPER = new ObjectMapper();

  public static void main(String[] args) throws Exception {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    PrintWriter out = new PrintWriter(new OutputStreamWriter(System.out, StandardCharsets.UTF_8));
    for (String line = in.readLine(); line != null; line = in.readLine())
      out.println(MAPPER.writeValueAsString(answer(MAPPER.readTree(line))));
    out.flush();
  }

  private static ObjectNode answer(JsonNode question) {
    ObjectNode answer = MAPPER.createObjectNode();
    try {
      Schema schema = new Schema.Parser().parse(question.get("schema").asText());
      Object datum;
      if (question.has("seed")) {
        datum = new RandomData(schema, 1, question.get("seed").asLong()).iterator().next();
      } else {
        byte[] bytes = Base64.getDecoder().decode(question.get("bytes").asText());
        BinaryDecoder decoder = DecoderFactory.get().binaryDecoder(bytes, null);
        datum = new GenericDatumReader<Object>(schema).read(null, decoder);
        if (!decoder.isEnd()) return answer.put("fails", "bytes are left");
      }
      ByteArrayOutputStream written = new ByteArrayOutputStream();
      BinaryEncoder encoder = EncoderFactory.get().binaryEncoder(written, null);
      new GenericDatumWriter<Object>(schema).write(datum, encoder);
      encoder.flush();
      return answer.put("bytes", Base64.getEncoder().encodeToString(written.toByteArray()));
    } catch (Exception e) {
      return answer.put("fails", e.toString());
    }
  }
}
