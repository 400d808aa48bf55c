import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import org.sourcelab.kafka.connect.apiclient.Configuration;
import org.sourcelab.kafka.connect.apiclient.KafkaConnectClient;
import org.sourcelab.kafka.connect.apiclient.request.dto.ConnectorPluginConfigDefinition;
import org.sourcelab.kafka.connect.apiclient.request.dto.NewConnectorDefinition;
import org.sourcelab.kafka.connect.apiclient.request.post.PostConnectorRestart;

/** Calls of that client: {"url", "call", "name", "config", "task"} → {"gives"} with the object that it made of the answer, or {"throws"}. */
public class SourceLabClient {
  private static final ObjectMapper MAPPER = new ObjectMapper();

  public static void main(String[] args) throws IOException {
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      ObjectNode answer = MAPPER.createObjectNode();
      try {
        answer.set("gives", MAPPER.valueToTree(call(MAPPER.readTree(line))));
      } catch (RuntimeException problem) {
        answer.put("throws", problem.getClass().getSimpleName());
        answer.put("message", problem.getMessage());
      }
      System.out.println(MAPPER.writeValueAsString(answer));
    }
  }

  private static Object call(JsonNode asked) {
    KafkaConnectClient client = new KafkaConnectClient(new Configuration(asked.get("url").asText()));
    String name = asked.path("name").asText();
    int task = asked.path("task").asInt();
    Map<String, String> config = new HashMap<>();
    asked.path("config").fields().forEachRemaining(entry -> config.put(entry.getKey(), entry.getValue().asText()));
    switch (asked.get("call").asText()) {
      case "getConnectServerVersion": return client.getConnectServerVersion();
      case "getConnectors": return client.getConnectors();
      case "getConnectorsWithExpandedStatus": return client.getConnectorsWithExpandedStatus().getAllStatuses();
      case "getConnectorsWithExpandedInfo": return client.getConnectorsWithExpandedInfo().getAllDefinitions();
      case "getConnectorsWithAllExpandedMetadata": return client.getConnectorsWithAllExpandedMetadata().getConnectorNames();
      case "getConnector": return client.getConnector(name);
      case "getConnectorConfig": return client.getConnectorConfig(name);
      case "getConnectorStatus": return client.getConnectorStatus(name);
      case "getConnectorTopics": return client.getConnectorTopics(name);
      case "resetConnectorTopics": return client.resetConnectorTopics(name);
      case "addConnector": return client.addConnector(new NewConnectorDefinition(name, config));
      case "updateConnectorConfig": return client.updateConnectorConfig(name, config);
      case "restartConnector": return client.restartConnector(name);
      case "restartConnectorWithTasks":
        return client.restartConnector(new PostConnectorRestart(name).withIncludeTasks(true).withOnlyFailed(false));
      case "pauseConnector": return client.pauseConnector(name);
      case "resumeConnector": return client.resumeConnector(name);
      case "deleteConnector": return client.deleteConnector(name);
      case "getConnectorTasks": return client.getConnectorTasks(name);
      case "getConnectorTaskStatus": return client.getConnectorTaskStatus(name, task);
      case "restartConnectorTask": return client.restartConnectorTask(name, task);
      case "getConnectorPlugins": return client.getConnectorPlugins();
      case "validateConnectorPluginConfig":
        return client.validateConnectorPluginConfig(new ConnectorPluginConfigDefinition(name, config));
      default: throw new IllegalArgumentException("no call of that name");
    }
  }
}
