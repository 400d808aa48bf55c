import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Date;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.connect.connector.ConnectRecord;
import org.apache.kafka.connect.data.ConnectSchema;
import org.apache.kafka.connect.data.Field;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.header.ConnectHeaders;
import org.apache.kafka.connect.header.Header;
import org.apache.kafka.connect.sink.SinkRecord;
import org.apache.kafka.connect.source.SourceRecord;
import org.apache.kafka.connect.transforms.Transformation;
import org.apache.kafka.connect.transforms.predicates.Predicate;

/**
 * Answers each line on its input, a case as JSON, with a line on its output: what Kafka Connect's own class made of it. notation.ts
 * says how records are written.
 *
 * {"do": class, "config": {…}, "record": {…}} gives {"gives": record}, {"gives": null} for a record that is dropped, {"gives": true} or
 * false of a predicate, {"refuses": class of the error} for a configuration, {"fails": class of the error} for a record.
 */
public final class KafkaTransforms {
  private static final ObjectMapper JSON =
      new ObjectMapper().enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS);
  private static final String PACKAGE = "org.apache.kafka.connect.transforms.";

  public static void main(String[] args) throws Exception {
    PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      out.println(answer(JSON.readTree(line)));
      if (!in.ready()) out.flush();
    }
    out.flush();
  }

  private static ObjectNode answer(JsonNode line) throws Exception {
    ObjectNode answer = JSON.createObjectNode();
    boolean isSink = line.get("record").has("offset");
    Class<?> type = Class.forName(PACKAGE + line.get("do").asText());
    Map<String, String> config = new HashMap<>();
    for (Map.Entry<String, JsonNode> entry : line.get("config").properties())
      config.put(entry.getKey(), entry.getValue().asText());
    Object made = type.getDeclaredConstructor().newInstance();
    ConnectRecord<?> record = isSink ? sinkRecord(line.get("record")) : sourceRecord(line.get("record"));
    try {
      if (made instanceof Predicate<?>) ((Predicate<?>) made).configure(config);
      else ((Transformation<?>) made).configure(config);
    } catch (RuntimeException error) {
      return answer.put("refuses", error.getClass().getSimpleName());
    }
    try {
      if (made instanceof Predicate<?>) {
        answer.put("gives", test((Predicate<?>) made, record));
      } else {
        ConnectRecord<?> given = transform((Transformation<?>) made, record);
        answer.set("gives", given == null ? null : text(given));
      }
    } catch (RuntimeException error) {
      answer.put("fails", error.getClass().getSimpleName());
    }
    return answer;
  }

  @SuppressWarnings({"unchecked", "rawtypes"})
  private static boolean test(Predicate predicate, ConnectRecord<?> record) {
    return predicate.test(record);
  }

  @SuppressWarnings({"unchecked", "rawtypes"})
  private static ConnectRecord<?> transform(Transformation transformation, ConnectRecord<?> record) {
    return transformation.apply(record);
  }

  private static SourceRecord sourceRecord(JsonNode json) {
    Parts parts = new Parts(json);
    return new SourceRecord(
        Map.of(), Map.of(), parts.topic, parts.queue, parts.keySchema, parts.key, parts.valueSchema, parts.value,
        parts.timestamp, parts.headers);
  }

  private static SinkRecord sinkRecord(JsonNode json) {
    Parts parts = new Parts(json);
    return new SinkRecord(
        parts.topic, parts.queue, parts.keySchema, parts.key, parts.valueSchema, parts.value,
        json.get("offset").asLong(), parts.timestamp, TimestampType.CREATE_TIME, parts.headers);
  }

  private static final class Parts {
    final String topic;
    final int queue;
    final Schema keySchema;
    final Object key;
    final Schema valueSchema;
    final Object value;
    final Long timestamp;
    final ConnectHeaders headers = new ConnectHeaders();

    Parts(JsonNode json) {
      topic = json.get("topic").asText();
      queue = json.get("queue").asInt();
      keySchema = schema(json.get("key").get(0));
      key = value(keySchema, json.get("key").get(1));
      valueSchema = schema(json.get("value").get(0));
      value = value(valueSchema, json.get("value").get(1));
      timestamp = json.get("timestamp").isNull() ? null : json.get("timestamp").asLong();
      for (JsonNode header : json.get("headers")) {
        Schema schema = schema(header.get(1));
        headers.add(header.get(0).asText(), new SchemaAndValue(schema, value(schema, header.get(2))));
      }
    }
  }

  private static Schema schema(JsonNode json) {
    if (json == null || json.isNull()) return null;
    Schema.Type type = Schema.Type.valueOf(json.get("type").asText());
    List<Field> fields = new ArrayList<>();
    if (json.has("fields"))
      for (JsonNode field : json.get("fields"))
        fields.add(new Field(field.get(0).asText(), fields.size(), schema(field.get(1))));
    Map<String, String> parameters = null;
    if (json.has("parameters")) {
      parameters = new LinkedHashMap<>();
      for (Map.Entry<String, JsonNode> entry : json.get("parameters").properties())
        parameters.put(entry.getKey(), entry.getValue().asText());
    }
    // The default's own form depends on all the rest.
    Schema plain = schema(json, type, fields, parameters, null);
    return json.has("default")
        ? schema(json, type, fields, parameters, value(plain, json.get("default")))
        : plain;
  }

  private static Schema schema(
      JsonNode json, Schema.Type type, List<Field> fields, Map<String, String> parameters, Object standIn) {
    return new ConnectSchema(
        type,
        json.get("optional").asBoolean(),
        standIn,
        json.has("name") ? json.get("name").asText() : null,
        json.has("version") ? json.get("version").asInt() : null,
        json.has("doc") ? json.get("doc").asText() : null,
        parameters,
        type == Schema.Type.STRUCT ? fields : null,
        schema(json.get("keys")),
        schema(json.get("items")));
  }

  private static Object value(Schema schema, JsonNode json) {
    if (json == null || json.isNull()) return null;
    if (json.isBoolean()) return json.booleanValue();
    if (json.isTextual()) return json.textValue();
    if (json.isNumber()) return number(schema, json.decimalValue(), json.isIntegralNumber());
    if (json.isArray()) {
      List<Object> items = new ArrayList<>();
      for (JsonNode item : json) items.add(value(schema == null ? null : schema.valueSchema(), item));
      return items;
    }
    if (json.has("$num")) return floating(schema, Double.parseDouble(json.get("$num").asText()));
    if (json.has("$date")) return new Date(json.get("$date").asLong());
    if (json.has("$dec")) return new BigDecimal(json.get("$dec").asText());
    if (json.has("$bytes")) return Base64.getDecoder().decode(json.get("$bytes").asText());
    if (json.has("$struct")) {
      Struct struct = new Struct(schema);
      for (JsonNode field : json.get("$struct")) {
        String name = field.get(0).asText();
        struct.put(name, value(schema.field(name).schema(), field.get(1)));
      }
      return struct;
    }
    Map<Object, Object> map = new LinkedHashMap<>();
    for (JsonNode entry : json.get("$map"))
      map.put(
          value(schema == null ? null : schema.keySchema(), entry.get(0)),
          value(schema == null ? null : schema.valueSchema(), entry.get(1)));
    return map;
  }

  /** Without a schema as JsonConverter gives them: whole ones are longs. */
  private static Object number(Schema schema, BigDecimal value, boolean isWhole) {
    if (schema == null) return isWhole ? (Object) value.longValueExact() : (Object) value.doubleValue();
    switch (schema.type()) {
      case INT8:
        return value.byteValueExact();
      case INT16:
        return value.shortValueExact();
      case INT32:
        return value.intValueExact();
      case INT64:
        return value.longValueExact();
      default:
        return floating(schema, value.doubleValue());
    }
  }

  private static Object floating(Schema schema, double value) {
    return schema != null && schema.type() == Schema.Type.FLOAT32 ? (Object) (float) value : (Object) value;
  }

  private static ObjectNode text(ConnectRecord<?> record) {
    ObjectNode json = JSON.createObjectNode();
    json.put("topic", record.topic());
    json.put("queue", record.kafkaPartition());
    json.set("key", pair(record.keySchema(), record.key()));
    json.set("value", pair(record.valueSchema(), record.value()));
    json.put("timestamp", record.timestamp());
    ArrayNode headers = json.putArray("headers");
    for (Header header : record.headers())
      headers.addArray().add(header.key()).add(text(header.schema())).add(text(header.value()));
    if (record instanceof SinkRecord) json.put("offset", ((SinkRecord) record).kafkaOffset());
    return json;
  }

  private static ArrayNode pair(Schema schema, Object value) {
    return JSON.createArrayNode().add(text(schema)).add(text(value));
  }

  private static JsonNode text(Schema schema) {
    if (schema == null) return JSON.nullNode();
    ObjectNode json = JSON.createObjectNode();
    json.put("type", schema.type().name());
    json.put("optional", schema.isOptional());
    if (schema.name() != null) json.put("name", schema.name());
    if (schema.version() != null) json.put("version", schema.version());
    if (schema.doc() != null) json.put("doc", schema.doc());
    if (schema.parameters() != null && !schema.parameters().isEmpty())
      json.set("parameters", JSON.valueToTree(schema.parameters()));
    if (schema.defaultValue() != null) json.set("default", text(schema.defaultValue()));
    if (schema.type() == Schema.Type.STRUCT) {
      ArrayNode fields = json.putArray("fields");
      for (Field field : schema.fields()) fields.addArray().add(field.name()).add(text(field.schema()));
    }
    if (schema.type() == Schema.Type.MAP && schema.keySchema() != null) json.set("keys", text(schema.keySchema()));
    if ((schema.type() == Schema.Type.MAP || schema.type() == Schema.Type.ARRAY) && schema.valueSchema() != null)
      json.set("items", text(schema.valueSchema()));
    return json;
  }

  private static JsonNode text(Object value) {
    if (value == null) return JSON.nullNode();
    if (value instanceof Float || value instanceof Double) {
      double number = ((Number) value).doubleValue();
      return Double.isFinite(number)
          ? JSON.getNodeFactory().numberNode(number)
          : JSON.createObjectNode().put("$num", Double.toString(number));
    }
    if (value instanceof Number && !(value instanceof BigDecimal))
      return JSON.getNodeFactory().numberNode(((Number) value).longValue());
    if (value instanceof Date) return JSON.createObjectNode().put("$date", ((Date) value).getTime());
    if (value instanceof BigDecimal) return JSON.createObjectNode().put("$dec", value.toString());
    if (value instanceof byte[])
      return JSON.createObjectNode().put("$bytes", Base64.getEncoder().encodeToString((byte[]) value));
    if (value instanceof List<?>) {
      ArrayNode items = JSON.createArrayNode();
      for (Object item : (List<?>) value) items.add(text(item));
      return items;
    }
    if (value instanceof Map<?, ?>) {
      ObjectNode json = JSON.createObjectNode();
      ArrayNode entries = json.putArray("$map");
      for (Map.Entry<?, ?> entry : ((Map<?, ?>) value).entrySet())
        entries.addArray().add(text(entry.getKey())).add(text(entry.getValue()));
      return json;
    }
    if (value instanceof Struct) {
      ObjectNode json = JSON.createObjectNode();
      ArrayNode fields = json.putArray("$struct");
      for (Field field : ((Struct) value).schema().fields())
        fields.addArray().add(field.name()).add(text(((Struct) value).getWithoutDefault(field.name())));
      return json;
    }
    return JSON.valueToTree(value);
  }
}
