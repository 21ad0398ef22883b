import io.kroxylicious.proxy.KafkaProxy;
import io.kroxylicious.proxy.config.ConfigParser;
import io.kroxylicious.proxy.internal.config.Features;
import java.nio.file.Files;
import java.nio.file.Path;

/** Starts Kroxylicious from one configuration file: its own starter is not published as a jar. */
public class Main {
    public static void main(String[] arguments) throws Exception {
        var parser = new ConfigParser();
        try (var file = Files.newInputStream(Path.of(arguments[0]));
                var proxy = new KafkaProxy(parser, parser.parseConfiguration(file), Features.defaultFeatures())) {
            proxy.startup();
            System.out.println("ready");
            proxy.block();
        }
    }
}
