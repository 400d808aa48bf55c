import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.JavaType;
import com.fasterxml.jackson.databind.JsonDeserializer;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.deser.DeserializationProblemHandler;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;

/** Reads answers of the REST API with the classes that Kafka Connect writes its own with: {"type", "body"} → {"unknown": [...]} or {"error"}. */
public class KafkaEntities {
  public static void main(String[] args) throws IOException {
    ObjectMapper plain = new ObjectMapper();
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      JsonNode asked = plain.readTree(line);
      System.out.println(plain.writeValueAsString(answer(asked.get("type").asText(), asked.get("body"))));
    }
  }

  private static ObjectNode answer(String type, JsonNode body) {
    ObjectMapper mapper = new ObjectMapper();
    ObjectNode answer = mapper.createObjectNode();
    ArrayNode unknown = answer.putArray("unknown");
    mapper.addHandler(new DeserializationProblemHandler() {
      @Override
      public boolean handleUnknownProperty(DeserializationContext context, com.fasterxml.jackson.core.JsonParser parser,
          JsonDeserializer<?> deserializer, Object bean, String name) throws IOException {
        Class<?> owner = bean instanceof Class<?> of ? of : bean.getClass();
        unknown.add(owner.getSimpleName() + "." + name);
        parser.skipChildren();
        return true;
      }
    });
    try {
      JavaType java = mapper.getTypeFactory().constructFromCanonical(type);
      if (mapper.treeToValue(body, java) == null) answer.put("error", "null");
    } catch (JsonProcessingException | IllegalArgumentException problem) {
      answer.put("error", problem.getMessage());
    }
    return answer;
  }
}
