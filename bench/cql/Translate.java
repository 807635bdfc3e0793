import java.nio.file.Path;
import org.cqframework.cql.cql2elm.CqlTranslator;
import org.cqframework.cql.cql2elm.LibraryManager;
import org.cqframework.cql.cql2elm.ModelManager;

/** Writes the ELM, in JSON, of a library in CQL. */
public class Translate {
  public static void main(String[] arguments) throws Exception {
    CqlTranslator translator =
        CqlTranslator.fromFile(Path.of(arguments[0]).toFile(), new LibraryManager(new ModelManager()));
    if (!translator.getErrors().isEmpty()) {
      throw new IllegalArgumentException(translator.getErrors().toString());
    }
    System.out.println(translator.toJson());
  }
}
