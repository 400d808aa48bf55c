import com.alibaba.fastjson2.JSON;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.rocketmq.client.consumer.DefaultLitePullConsumer;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.LocalTransactionState;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.producer.TransactionListener;
import org.apache.rocketmq.client.producer.TransactionMQProducer;
import org.apache.rocketmq.common.compression.CompressionType;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/** RocketMQ's own Java client, as the other side: `produce`, `produce-zstd` or `consume <count>`. */
public class Interop {
    /** Messages that produce() leaves in the topic; the one that is rolled back does not come there. */
    private static final int PRODUCED = 7;
    private static final long ROUTE_NANOS = 60_000_000_000L;

    private static String nameServer;
    private static String topic;

    public static void main(String[] args) {
        try {
            run(args);
            System.exit(0);
        } catch (Exception error) {
            error.printStackTrace();
            // The client's threads would go on.
            System.exit(1);
        }
    }

    private static void run(String[] args) throws Exception {
        nameServer = args[1];
        topic = args[2];
        switch (args[0]) {
            case "produce" -> produce();
            case "produce-zstd" -> produceCompressed(CompressionType.ZSTD);
            case "consume" -> consume(Integer.parseInt(args[3]));
            default -> throw new IllegalArgumentException(args[0]);
        }
    }

    private static void produce() throws Exception {
        DefaultMQProducer producer = started(new DefaultMQProducer("interop-producer"));
        Message full = message("plain body");
        full.setKeys(List.of("key-1", "key-2"));
        full.setTags("TagA");
        full.putUserProperty("color", "grün");
        full.putUserProperty("a=b", "c\nd");
        send(producer, full);
        produceCompressed(CompressionType.ZLIB);
        produceCompressed(CompressionType.LZ4);
        report(producer.send(List.of(message("batch 1"), message("batch 2")), queue(producer)));
        Message delayed = message("delayed");
        delayed.setDelayTimeLevel(1);
        send(producer, delayed);
        transaction();
        // A transaction is committed by a message without an answer, which the end of this process can overtake.
        while (producer.maxOffset(queue(producer)) < PRODUCED) Thread.sleep(20);
    }

    private static void produceCompressed(CompressionType type) throws Exception {
        DefaultMQProducer producer = new DefaultMQProducer("interop-" + type);
        producer.setCompressType(type);
        send(started(producer), message(("compressed by " + type + " ").repeat(1000)));
    }

    private static void transaction() throws Exception {
        TransactionMQProducer producer = new TransactionMQProducer("interop-transactions");
        producer.setTransactionListener(new TransactionListener() {
            @Override
            public LocalTransactionState executeLocalTransaction(Message message, Object outcome) {
                return (LocalTransactionState) outcome;
            }

            @Override
            public LocalTransactionState checkLocalTransaction(MessageExt message) {
                return LocalTransactionState.ROLLBACK_MESSAGE;
            }
        });
        started(producer);
        producer.sendMessageInTransaction(message("rolled back"), LocalTransactionState.ROLLBACK_MESSAGE);
        producer.sendMessageInTransaction(message("committed"), LocalTransactionState.COMMIT_MESSAGE);
    }

    private static void consume(int count) throws Exception {
        DefaultLitePullConsumer consumer = new DefaultLitePullConsumer("interop-consumer");
        consumer.setNamesrvAddr(nameServer);
        consumer.setInstanceName(topic);
        consumer.start();
        List<MessageQueue> queues = new ArrayList<>(consumer.fetchMessageQueues(topic));
        consumer.assign(queues);
        for (MessageQueue queue : queues) consumer.seekToBegin(queue);
        for (int found = 0; found < count; ) {
            for (MessageExt message : consumer.poll(1000)) {
                System.out.println(JSON.toJSONString(fields(message)));
                found += 1;
            }
        }
    }

    private static Map<String, Object> fields(MessageExt message) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("offset", message.getQueueOffset());
        fields.put("keys", message.getKeys());
        fields.put("tags", message.getTags());
        fields.put("bornTimestamp", message.getBornTimestamp());
        fields.put("body", Base64.getEncoder().encodeToString(message.getBody()));
        fields.put("properties", message.getProperties());
        return fields;
    }

    private static <P extends DefaultMQProducer> P started(P producer) throws Exception {
        producer.setNamesrvAddr(nameServer);
        producer.setInstanceName(producer.getProducerGroup());
        producer.start();
        return producer;
    }

    /** The client gives up after six seconds, and a broker on a loaded machine tells its name server later than that. */
    private static MessageQueue queue(DefaultMQProducer producer) throws Exception {
        for (long deadline = System.nanoTime() + ROUTE_NANOS;;) {
            try {
                return producer.fetchPublishMessageQueues(topic).get(0);
            } catch (MQClientException e) {
                if (System.nanoTime() > deadline) throw e;
                Thread.sleep(20);
            }
        }
    }

    private static void send(DefaultMQProducer producer, Message message) throws Exception {
        report(producer.send(message, queue(producer)));
    }

    private static void report(SendResult result) {
        System.err.println(result);
    }

    private static Message message(String body) {
        return new Message(topic, body.getBytes(StandardCharsets.UTF_8));
    }
}
