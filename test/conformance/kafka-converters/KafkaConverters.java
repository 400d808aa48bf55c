import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.connect.data.Date;
import org.apache.kafka.connect.data.Decimal;
import org.apache.kafka.connect.data.Field;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.data.SchemaBuilder;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.data.Time;
import org.apache.kafka.connect.data.Timestamp;
import org.apache.kafka.connect.storage.Converter;
import org.apache.kafka.connect.storage.HeaderConverter;

/**
 * Does what Kafka Connect's converters do, one JSON object a line, in the notation of test/support/kafka-notation.ts:
 * {"class", "header"?, "config", "schema", "value"} is written, {"class", "header"?, "config", "bytes"} is read. Answers
 * {"bytes"}, {"schema", "value"} or {"fails": class of the error}.
 */
public final class KafkaConverters {
  private static final ObjectMapper MAPPER =
      new ObjectMapper().configure(JsonGenerator.Feature.WRITE_BIGDECIMAL_AS_PLAIN, false);
  private static final JsonNodeFactory NODES = JsonNodeFactory.withExactBigDecimals(true);
  private static final Map<String, Object> CONVERTERS = new HashMap<>();

  public static void main(String[] args) throws Exception {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    PrintWriter out = new PrintWriter(new OutputStreamWriter(System.out, StandardCharsets.UTF_8));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      out.println(MAPPER.writeValueAsString(answer(MAPPER.readTree(line))));
      if (!in.ready()) out.flush();
    }
    out.flush();
  }

  private static ObjectNode answer(JsonNode row) {
    ObjectNode answer = NODES.objectNode();
    boolean header = row.path("header").asBoolean();
    Object converter = converter(row.get("class").asText(), row.get("config"), header);
    Schema schema = null;
    Object value = null;
    if (!row.has("bytes")) {
      schema = schemaOf(row.get("schema"));
      value = valueOf(schema, row.get("value"));
    }
    try {
      if (row.has("bytes")) {
        byte[] bytes = bytesOf(row.get("bytes"));
        SchemaAndValue read = header
            ? ((HeaderConverter) converter).toConnectHeader("t", "h", bytes)
            : ((Converter) converter).toConnectData("t", bytes);
        // As the worker takes it.
        if (read == null) read = SchemaAndValue.NULL;
        answer.set("schema", notation(read.schema()));
        answer.set("value", notation(read.schema(), read.value()));
      } else {
        byte[] bytes = header
            ? ((HeaderConverter) converter).fromConnectHeader("t", "h", schema, value)
            : ((Converter) converter).fromConnectData("t", schema, value);
        if (bytes == null) answer.putNull("bytes");
        else answer.put("bytes", Base64.getEncoder().encodeToString(bytes));
      }
    } catch (Exception | StackOverflowError e) {
      answer.removeAll();
      answer.put("fails", e.getClass().getSimpleName());
    }
    return answer;
  }

  private static Object converter(String name, JsonNode options, boolean header) {
    return CONVERTERS.computeIfAbsent(name + options + header, key -> {
      try {
        Map<String, Object> config = new HashMap<>();
        options.fields().forEachRemaining(option -> config.put(option.getKey(), option.getValue().asText()));
        Object made = Class.forName(name).getDeclaredConstructor().newInstance();
        if (header) {
          config.put("converter.type", "header");
          ((HeaderConverter) made).configure(config);
        } else ((Converter) made).configure(config, false);
        return made;
      } catch (ReflectiveOperationException e) {
        throw new IllegalArgumentException(e);
      }
    });
  }

  private static byte[] bytesOf(JsonNode node) {
    return node.isNull() ? null : Base64.getDecoder().decode(node.asText());
  }

  private static Schema schemaOf(JsonNode json) {
    if (json == null || json.isNull()) return null;
    String type = json.get("type").asText();
    boolean optional = type.endsWith("?");
    Schema.Type kind = Schema.Type.valueOf((optional ? type.substring(0, type.length() - 1) : type).toUpperCase());
    SchemaBuilder builder = switch (kind) {
      case ARRAY -> SchemaBuilder.array(schemaOf(json.get("items")));
      case MAP -> SchemaBuilder.map(schemaOf(json.get("keys")), schemaOf(json.get("items")));
      default -> SchemaBuilder.type(kind);
    };
    if (kind == Schema.Type.STRUCT)
      json.get("fields").fields().forEachRemaining(field -> builder.field(field.getKey(), schemaOf(field.getValue())));
    if (optional) builder.optional();
    if (json.has("name")) builder.name(json.get("name").asText());
    if (json.has("version")) builder.version(json.get("version").asInt());
    if (json.has("doc")) builder.doc(json.get("doc").asText());
    if (json.has("parameters"))
      json.get("parameters").fields().forEachRemaining(p -> builder.parameter(p.getKey(), p.getValue().asText()));
    if (json.has("default")) builder.defaultValue(valueOf(builder, json.get("default")));
    return builder.build();
  }

  private static Object valueOf(Schema schema, JsonNode json) {
    if (json == null || json.isNull()) return null;
    if (schema == null) return plainOf(json);
    if (schema.name() != null) {
      if (schema.name().equals(Decimal.LOGICAL_NAME)) return new BigDecimal(json.asText());
      if (List.of(Date.LOGICAL_NAME, Time.LOGICAL_NAME, Timestamp.LOGICAL_NAME).contains(schema.name()))
        return new java.util.Date(json.asLong());
    }
    switch (schema.type()) {
      case INT8: return (byte) json.asInt();
      case INT16: return (short) json.asInt();
      case INT32: return json.asInt();
      case INT64: return json.asLong();
      case FLOAT32: return (float) doubleOf(json);
      case FLOAT64: return doubleOf(json);
      case BOOLEAN: return json.asBoolean();
      case STRING: return json.asText();
      case BYTES: return bytesOf(json);
      case ARRAY: {
        List<Object> list = new ArrayList<>();
        json.forEach(item -> list.add(valueOf(schema.valueSchema(), item)));
        return list;
      }
      case MAP: {
        Map<Object, Object> map = new LinkedHashMap<>();
        json.forEach(pair -> map.put(valueOf(schema.keySchema(), pair.get(0)), valueOf(schema.valueSchema(), pair.get(1))));
        return map;
      }
      default: {
        Struct struct = new Struct(schema);
        for (Field field : schema.fields()) {
          Object item = valueOf(field.schema(), json.get(field.name()));
          if (item != null) struct.put(field, item);
        }
        return struct;
      }
    }
  }

  private static double doubleOf(JsonNode json) {
    return json.isTextual() ? Double.parseDouble(json.asText()) : json.doubleValue();
  }

  private static Object plainOf(JsonNode json) {
    if (json.isNull()) return null;
    if (json.isTextual()) return json.asText();
    if (json.isBoolean()) return json.asBoolean();
    if (json.isIntegralNumber()) return json.asLong();
    if (json.isNumber()) return json.asDouble();
    if (json.isArray()) {
      List<Object> list = new ArrayList<>();
      json.forEach(item -> list.add(plainOf(item)));
      return list;
    }
    if (json.has("$date")) return new java.util.Date(json.get("$date").asLong());
    if (json.has("$dec")) return new BigDecimal(json.get("$dec").asText());
    if (json.has("$bytes")) return bytesOf(json.get("$bytes"));
    Map<Object, Object> map = new LinkedHashMap<>();
    json.fields().forEachRemaining(field -> map.put(field.getKey(), plainOf(field.getValue())));
    return map;
  }

  private static JsonNode notation(Schema schema) {
    if (schema == null) return NODES.nullNode();
    ObjectNode json = NODES.objectNode();
    json.put("type", schema.type().getName() + (schema.isOptional() ? "?" : ""));
    if (schema.name() != null) json.put("name", schema.name());
    if (schema.version() != null) json.put("version", schema.version());
    if (schema.doc() != null) json.put("doc", schema.doc());
    if (schema.parameters() != null && !schema.parameters().isEmpty()) {
      ObjectNode parameters = json.putObject("parameters");
      schema.parameters().forEach(parameters::put);
    }
    if (schema.type() == Schema.Type.MAP) json.set("keys", notation(schema.keySchema()));
    if (schema.type() == Schema.Type.MAP || schema.type() == Schema.Type.ARRAY) json.set("items", notation(schema.valueSchema()));
    if (schema.type() == Schema.Type.STRUCT) {
      ObjectNode fields = json.putObject("fields");
      for (Field field : schema.fields()) fields.set(field.name(), notation(field.schema()));
    }
    if (schema.defaultValue() != null) json.set("default", notation(schema, schema.defaultValue()));
    return json;
  }

  private static JsonNode notation(Schema schema, Object value) {
    if (value == null) return NODES.nullNode();
    boolean typed = schema != null;
    if (value instanceof Struct struct) {
      ObjectNode json = NODES.objectNode();
      for (Field field : struct.schema().fields())
        json.set(field.name(), notation(field.schema(), struct.getWithoutDefault(field.name())));
      return json;
    }
    if (value instanceof java.util.Date date)
      return typed ? NODES.numberNode(date.getTime()) : NODES.objectNode().put("$date", date.getTime());
    if (value instanceof BigDecimal decimal)
      return typed ? NODES.textNode(decimal.toString()) : NODES.objectNode().put("$dec", decimal.toString());
    if (value instanceof ByteBuffer buffer) value = buffer.array();
    if (value instanceof byte[] bytes) {
      String base64 = Base64.getEncoder().encodeToString(bytes);
      return typed ? NODES.textNode(base64) : NODES.objectNode().put("$bytes", base64);
    }
    if (value instanceof List<?> list) {
      ArrayNode json = NODES.arrayNode();
      boolean fits = typed && schema.type() == Schema.Type.ARRAY;
      for (Object item : list) json.add(notation(fits ? schema.valueSchema() : null, item));
      return json;
    }
    if (value instanceof Map<?, ?> map) {
      boolean fits = typed && schema.type() == Schema.Type.MAP;
      ArrayNode pairs = NODES.arrayNode();
      Iterator<? extends Map.Entry<?, ?>> entries = map.entrySet().iterator();
      while (entries.hasNext()) {
        Map.Entry<?, ?> entry = entries.next();
        pairs.addArray()
            .add(notation(fits ? schema.keySchema() : null, entry.getKey()))
            .add(notation(fits ? schema.valueSchema() : null, entry.getValue()));
      }
      return fits ? pairs : NODES.objectNode().set("$map", pairs);
    }
    if (value instanceof Double || value instanceof Float) {
      double number = ((Number) value).doubleValue();
      return Double.isFinite(number) ? NODES.numberNode(number) : NODES.textNode(Double.toString(number));
    }
    return MAPPER.valueToTree(value);
  }
}
