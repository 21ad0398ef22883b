// Writes schemas.txt: the shape of every request and response of every version, read from Kafka's own classes.
//   javac -cp "<libs>/*" -d <tmp> DumpSchemas.java && java -cp "<libs>/*:<tmp>" DumpSchemas > schemas.txt
// Line: <api key> <q|r> <first version> <last version> <shape>. Shape: 1 2 4 8 u(uid): fixed sizes; s S t T: strings
// (S, T compact; t, T nullable); y Y z Z: bytes likewise; [..] (..): arrays, (..) compact; <..>: nullable structure;
// {tag:shape,..}: tagged fields.
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.types.*;

public class DumpSchemas {
    static String fields(Schema schema) {
        StringBuilder out = new StringBuilder();
        for (BoundField field : schema.fields()) out.append(shape(field.def.type));
        return out.toString();
    }

    static String shape(Type type) {
        if (type.getClass().getSimpleName().equals("NullableSchema")) return "<" + fields((Schema) type) + ">";
        if (type instanceof Schema) return fields((Schema) type);
        if (type instanceof TaggedFields) {
            StringBuilder out = new StringBuilder();
            for (Map.Entry<Integer, Field> known : new TreeMap<>(((TaggedFields) type).fields()).entrySet()) {
                if (out.length() > 0) out.append(',');
                out.append(known.getKey()).append(':').append(shape(known.getValue().type));
            }
            return "{" + out + "}";
        }
        if (type instanceof ArrayOf) return "[" + shape(type.arrayElementType().get()) + "]";
        if (type instanceof CompactArrayOf) return "(" + shape(type.arrayElementType().get()) + ")";
        switch (type.toString()) {
            case "BOOLEAN": case "INT8": return "1";
            case "INT16": case "UINT16": return "2";
            case "INT32": case "UINT32": return "4";
            case "INT64": case "FLOAT64": return "8";
            case "UUID": return "u";
            case "STRING": return "s";
            case "COMPACT_STRING": return "S";
            case "NULLABLE_STRING": return "t";
            case "COMPACT_NULLABLE_STRING": return "T";
            case "BYTES": return "y";
            case "COMPACT_BYTES": return "Y";
            case "NULLABLE_BYTES": case "RECORDS": case "NULLABLE_RECORDS": return "z";
            case "COMPACT_NULLABLE_BYTES": case "COMPACT_RECORDS": case "COMPACT_NULLABLE_RECORDS": return "Z";
            default: throw new IllegalStateException("unknown type " + type);
        }
    }

    public static void main(String[] arguments) {
        for (ApiKeys key : ApiKeys.values()) {
            print(key.id, "q", key.messageType.requestSchemas());
            print(key.id, "r", key.messageType.responseSchemas());
        }
    }

    static void print(int key, String direction, Schema[] versions) {
        String open = null;
        int first = -1;
        for (int version = 0; version <= versions.length; version++) {
            String now = version < versions.length && versions[version] != null ? shape(versions[version]) : null;
            if (Objects.equals(now, open)) continue;
            if (open != null) System.out.println(key + " " + direction + " " + first + " " + (version - 1) + " " + open);
            open = now;
            first = version;
        }
    }
}
