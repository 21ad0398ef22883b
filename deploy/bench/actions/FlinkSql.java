import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.GlobalConfiguration;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.TableEnvironment;

/** Runs the statements of one file, the last of which is an INSERT, in this process: a folder of settings, the file. */
public class FlinkSql {
    public static void main(String[] arguments) throws Exception {
        Configuration settings = GlobalConfiguration.loadConfiguration(arguments[0]);
        var tables = TableEnvironment.create(
                EnvironmentSettings.newInstance().inStreamingMode().withConfiguration(settings).build());
        for (String statement : Files.readString(Path.of(arguments[1])).split(";\n")) {
            if (!statement.isBlank()) {
                var result = tables.executeSql(statement);
                if (statement.strip().startsWith("INSERT")) {
                    result.await();
                }
            }
        }
    }
}
