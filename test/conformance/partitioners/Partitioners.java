import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import org.apache.kafka.clients.producer.internals.BuiltInPartitioner;
import org.apache.rocketmq.client.producer.selector.SelectMessageQueueByHash;
import org.apache.rocketmq.common.message.MessageQueue;

/** A line `queues key`, the key in base64; answers `[Kafka's partition, RocketMQ's queue]`. */
public class Partitioners {
  public static void main(String[] args) throws Exception {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      int space = line.indexOf(' ');
      int queues = Integer.parseInt(line.substring(0, space));
      byte[] key = Base64.getDecoder().decode(line.substring(space + 1));
      List<MessageQueue> all = new ArrayList<>();
      for (int i = 0; i < queues; i += 1) all.add(new MessageQueue("t", "b", i));
      int kafka = BuiltInPartitioner.partitionForKey(key, queues);
      String text = new String(key, StandardCharsets.UTF_8);
      int rocketmq = new SelectMessageQueueByHash().select(all, null, text).getQueueId();
      System.out.println("[" + kafka + "," + rocketmq + "]");
    }
  }
}
